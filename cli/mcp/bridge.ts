// The client's end: each line it writes goes as a POST through the sidecar's reverse door, and everything that comes back
// is a line to it. Lines are sent one after the other, the next when the answer to the last has begun, so that they
// reach the server in the order they were written; answers take as long as they take.

import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { isObject } from '../../sidecar/dialects/fields.ts';
import { isStream, messagesIn, versionIn, whyOf } from './answers.ts';
import { linesOf } from './lines.ts';
import { type Carried, errorLine, headersOf, NOTHING_CARRIED, readCarried } from './message.ts';

export interface BridgeOptions {
  /** Of the upstream at the reverse door: `http://127.0.0.1:4320/files`. */
  readonly door: string;
  readonly input: AsyncIterable<Buffer>;
  /** Writes one line to the client; resolves when more may be written. */
  write(line: Buffer): Promise<void>;
  readonly lineBytesMax: number;
  readonly log: Log;
}

export interface Bridge {
  /** Resolves when the client has closed its end and everything it wrote was sent on. Never rejects. */
  readonly inputEnded: Promise<void>;
  /** Lets answers that have come be written out, and closes the rest. */
  stop(): Promise<void>;
}

const PARSE_ERROR = -32700;
const SERVER_ERROR = -32000;
const LISTEN_AGAIN_MS = 1_000;

export function startBridge({ door, input, write, lineBytesMax, log }: BridgeOptions): Bridge {
  const agent = new Agent({ keepAlive: true });
  const stopping = new AbortController();
  const answers = new Set<Promise<void>>();
  const cancelled = new Set<string>();
  let negotiated: string | null = null;

  const ask = (method: string, headers: Record<string, string>, body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const accept = method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream';
      const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
      const outgoing = request(door, {
        method,
        agent,
        signal: stopping.signal,
        headers: { 'content-type': 'application/json', accept, ...length, ...headers },
      });
      outgoing.once('response', resolve).once('error', reject);
      outgoing.end(body);
    });

  const forward = async (line: Buffer): Promise<void> => {
    const carried = readCarried(line);
    const owed = new Set(carried?.requests);
    if (carried) noteCancelled(carried);
    try {
      const answer = await ask('POST', carried ? headersOf(carried, negotiated) : {}, line);
      const read = take(answer, carried, owed).catch((failure) => unanswered(owed, failure));
      answers.add(read);
      void read.then(() => answers.delete(read));
    } catch (failure) {
      await unanswered(owed, failure);
    }
  };

  const noteCancelled = ({ message }: Carried): void => {
    if (message.method !== 'notifications/cancelled' || !isObject(message.params)) return;
    cancelled.add(JSON.stringify(message.params.requestId ?? null));
  };

  const take = async (answer: IncomingMessage, carried: Carried | null, owed: Set<string>): Promise<void> => {
    const unasked = carried !== null && carried.requests.length === 0;
    let why = 'The server ended without an answer to this request.';
    for await (const line of messagesIn(answer)) {
      const said = readCarried(line);
      for (const id of said?.responses ?? []) owed.delete(id);
      if (carried?.message.method === 'initialize') negotiated = versionIn(said) ?? negotiated;
      if (isStream(answer) || (said?.responses.length ?? 0) > 0 || carried === null) await write(line);
      else why = whyOf(said);
      // there is no answer to a notification, nor to an answer: what comes to one is for people
      if (unasked) log.warn('stdio.refused', { status: answer.statusCode ?? 0, why });
    }
    await settle(owed, why);
  };

  const unanswered = async (owed: ReadonlySet<string>, failure: unknown): Promise<void> => {
    if (stopping.signal.aborted) return;
    log.warn('stdio.unanswered', { failure: sentenceOf(failure) });
    await settle(owed, 'The connection to the server broke off.');
  };

  /** Every request gets an answer, but for one that its client gave up. */
  const settle = async (owed: ReadonlySet<string>, why: string): Promise<void> => {
    for (const id of owed) if (!cancelled.delete(id)) await write(errorLine(id, SERVER_ERROR, why));
  };

  /** What the server says of its own accord. */
  const listen = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const answer = await ask('GET', headersOf(NOTHING_CARRIED, negotiated), NOTHING);
        if (!isStream(answer)) {
          answer.resume();
          return log.warn('stdio.not_listening', { status: answer.statusCode ?? 0 });
        }
        for await (const line of messagesIn(answer)) await write(line);
      } catch (failure) {
        if (stopping.signal.aborted) return;
        log.warn('stdio.listening_broke_off', { failure: sentenceOf(failure) });
      }
      await delay(LISTEN_AGAIN_MS, undefined, { ref: false });
    }
  };

  const sendAll = async (): Promise<void> => {
    for await (const line of linesOf(input, lineBytesMax)) {
      if (line === null)
        await write(errorLine('null', PARSE_ERROR, `A line is longer than ${lineBytesMax} bytes.`));
      else if (line.length > 0) await forward(line);
    }
  };

  void listen();
  return {
    inputEnded: sendAll().catch((failure) =>
      log.warn('stdio.input_broke_off', { failure: sentenceOf(failure) }),
    ),
    async stop() {
      await Promise.race([Promise.allSettled(answers), delay(LISTEN_AGAIN_MS, undefined, { ref: false })]);
      stopping.abort();
      agent.destroy();
    },
  };
}

const NOTHING = Buffer.alloc(0);
