// What InvokeModel answers: the model maker's own format, in a stream packed into `chunk` frames as base64. Bedrock adds
// its own counts to the last chunk, and to the head of a whole answer: they stand where the format has none.
// Source: docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html

import { readMessage, readWholeMessage } from '../anthropic/meter.ts';
import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, Usage } from '../metered.ts';
import { NOTHING_METERED } from '../stream-meter.ts';
import { type FamilyName, familyOf } from './families.ts';
import { eventFrame, type FrameEvents, type InvokeEvents } from './frame-events.ts';
import { readCompletions } from './meter-completion.ts';
import { readConverseStream, readConverseWhole } from './meter-converse.ts';
import { readMetrics } from './usage.ts';

const METRICS = 'amazon-bedrock-invocationMetrics';

/** The family of an answer, which shows where the model's id does not: Anthropic's and Nova's messages mark themselves. */
function familyOfAnswer({ model }: Description, answer: JsonObject): FamilyName {
  const { name } = familyOf(model ?? '');
  if (name !== 'unknown') return name;
  if (typeof answer.type === 'string') return 'anthropic';
  return isObject(answer.output) || NOVA_EVENTS.some((event) => isObject(answer[event])) ? 'nova' : name;
}

export function readInvokeWhole(description: Description, answer: JsonObject): Metered {
  switch (familyOfAnswer(description, answer)) {
    case 'anthropic':
      // It names the model without its place, which has a price of its own.
      return { ...readWholeMessage(answer), model: null };
    case 'nova':
      return readConverseWhole(answer);
    default:
      return readCompletion(answer);
  }
}

function readCompletion(answer: JsonObject): Metered {
  const completion = readCompletions();
  completion.take(answer);
  return completion.result();
}

export function readInvokeStream(description: Description): FrameEvents {
  let reader: InvokeEvents | null = null;
  let metrics: Usage | null = null;
  const readerFor = (event: JsonObject): InvokeEvents => {
    reader ??= READERS[familyOfAnswer(description, event)]?.(description) ?? readCompletions();
    return reader;
  };
  const tokens = (): number => metrics?.outputTokens ?? reader?.outputTokensSeen() ?? 0;
  return {
    take(name, { bytes }) {
      const event =
        name === 'chunk' && typeof bytes === 'string' ? parse(Buffer.from(bytes, 'base64')) : undefined;
      if (!isObject(event)) return;
      if (isObject(event[METRICS])) metrics = readMetrics(event[METRICS]);
      readerFor(event).take(event);
    },
    result() {
      const result = reader?.result() ?? NOTHING_METERED;
      if (metrics === null) return result;
      return { ...result, usage: result.usage ?? metrics, complete: true };
    },
    outputTokensSeen: tokens,
    ending() {
      const outputTokenCount = tokens();
      const counts = { ...inputCount(description, reader), outputTokenCount, ...LATENCIES };
      const events = reader?.ending() ?? [];
      return Buffer.concat(
        events.map((event, index) =>
          eventFrame('chunk', chunk(index === events.length - 1 ? { ...event, [METRICS]: counts } : event)),
        ),
      );
    },
  };
}

const LATENCIES = { invocationLatency: 0, firstByteLatency: 0 };

/** As reported at the beginning, else as it was bounded. */
function inputCount({ inputTokensMax }: Description, reader: InvokeEvents | null): JsonObject {
  const bound = inputTokensMax === 'context_window' ? 0 : inputTokensMax;
  return { inputTokenCount: reader?.result().partial?.uncachedInputTokens ?? bound };
}

const chunk = (event: JsonObject): JsonObject => ({
  bytes: Buffer.from(JSON.stringify(event)).toString('base64'),
});

const READERS: Readonly<Partial<Record<FamilyName, (description: Description) => InvokeEvents>>> = {
  anthropic: readMessages,
  nova: readNova,
};

/** It names the model without its place, which has a price of its own. */
function readMessages(): InvokeEvents {
  const reader = readMessage();
  return {
    take: (event) => void reader.take(event),
    result: () => ({ ...reader.result(), model: null }),
    outputTokensSeen: reader.outputTokensSeen,
    ending: () => eventsIn(reader.ending()),
  };
}

/** The JSON of server-sent events that are our own. */
const eventsIn = (text: string): JsonObject[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as JsonObject);

const NOVA_EVENTS = [
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
  'metadata',
] as const;

/** `{"contentBlockDelta":{…}}`: Converse's events, each under its name. */
function readNova(description: Description): InvokeEvents {
  const reader = readConverseStream(description);
  return {
    ...reader,
    take(event) {
      for (const name of NOVA_EVENTS) if (isObject(event[name])) reader.take(name, event[name]);
    },
    ending: () => reader.ending().map(([name, payload]) => ({ [name]: payload })),
  };
}

function parse(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch {
    return undefined;
  }
}
