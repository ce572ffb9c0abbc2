// The models: the practice provider with answers as long as they were asked for ("about 300 words"), a bill, and two
// words in a prompt that make it misbehave, so that an incident happens exactly as often as the plan says.

import type { Behaviour, ReceivedRequest } from '../../provider/behaviour.ts';
import { type Provider, startProvider } from '../../provider/provider.ts';
import { tokensOf } from '../../provider/words.ts';
import { type Bill, priceOfTokens, spanOf } from './bill.ts';
import { prose, seedOf } from './words.ts';

/** In a prompt: answered 429. */
export const TOO_MANY = '[provider: too many requests]';
/** In a prompt: never answered. */
export const NO_ANSWER = '[provider: no answer]';

const HEAD_BYTES = 1_500;
const WORDS_USUAL = 60;
const WORDS_PER_EVENT = 40;
/** An agent that asked for the same page again and again would be taken for one that loops. */
const PAGES = 10_000;
/** So short that its sidecar waits itself, and the next call is asked and refused again. */
const TOO_MANY_SECONDS = '1';
const FIRST_BYTE_MS = { openai: 15, anthropic: 25 } as const;

export interface Models extends Provider {
  /** Resolves when a request that is never answered has arrived. */
  readonly silent: Promise<void>;
}

export async function startModels(bill: Bill, key: string): Promise<Models> {
  const { promise: silent, resolve: heard } = Promise.withResolvers<void>();
  const provider = await startProvider({
    keys: [key],
    keepRequests: false,
    behave: (request) => {
      if (request.method !== 'POST') return undefined;
      const head = request.body.toString('utf8', 0, HEAD_BYTES);
      if (head.includes(NO_ANSWER)) {
        heard();
        return { hang: true };
      }
      return behave(request, head, bill);
    },
  });
  return { ...provider, silent };
}

function behave(request: ReceivedRequest, head: string, bill: Bill): Behaviour {
  const service = request.path.startsWith('/anthropic/') ? 'anthropic' : 'openai';
  const model = /"model":"([^"]+)"/.exec(head)?.[1] ?? '';
  const refused = head.includes(TOO_MANY);
  const words = Number(/about (\d+) words/.exec(head)?.[1] ?? WORDS_USUAL);
  const text = prose(words, seedOf(head));
  const tool = /"tools":.*?"name":"(\w+)"/.exec(head)?.[1];
  const toolCalls = tool === undefined ? [] : [{ name: tool, arguments: `{"page":${seedOf(head) % PAGES}}` }];
  const input = tokensOf(request.body.length);
  const output = tokensOf(
    Buffer.byteLength(text + toolCalls.map((call) => call.name + call.arguments).join('')),
  );
  // Billed when it went out whole: who hung up before is not asked for money.
  void request.ended.then((whole) => {
    if (!whole) return;
    bill.add({
      ...spanOf(request.headers.traceparent),
      service,
      method: request.method,
      path: request.path,
      status: refused ? 429 : 200,
      model,
      tokensIn: refused ? 0 : input,
      tokensOut: refused ? 0 : output,
      nanodollars: refused ? 0n : priceOfTokens(model, input, output),
    });
  });
  return refused
    ? { status: 429, headers: { 'retry-after': TOO_MANY_SECONDS } }
    : {
        text,
        ...(tool && { toolCalls }),
        usage: { input, output },
        wordsPerEvent: WORDS_PER_EVENT,
        firstByteMs: FIRST_BYTE_MS[service],
      };
}
