// Two readers of the same bytes, the walk at the door and the database behind it: whatever the one lets pass, the other takes.
// Were it not so, one small request from nobody would hold up all that comes after it.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Loader } from '../../../collector/queue/loader.ts';
import { openQueue } from '../../../collector/queue/queue.ts';
import { walkFraming } from '../../../collector/receive/framing.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { rewrite } from '../../../collector/receive/rewrite.ts';
import { idEnding, SIGNALS, type Signal } from '../../../collector/signals.ts';
import { SegmentInDoubt, SegmentRejected } from '../../../collector/store/failures.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { ProtobufWriter } from '../../../kit/protobuf.ts';
import { randomFrom } from '../queue/random.ts';
import { generateRequest, mutated } from '../receive/generated-otlp.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from './open.ts';

const REQUESTS = Number(process.env.WALK_REQUESTS ?? 200);
const SEED = Number(process.env.WALK_SEED ?? Date.now() % 1_000_000);
const PER_SEGMENT = 200;

let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

let segments = 0;
const nextId = (signal: Signal) => `${String(++segments).padStart(12, '0')}-00c0ffee${idEnding(signal)}`;

/** What the door would write of a request; null if it refuses it. */
function taken(signal: Signal, request: Buffer): Buffer | null {
  try {
    return walkFraming(signal, request).isLoose ? rewrite(signal, request) : request;
  } catch {
    return null;
  }
}

describe('what the walk lets pass', () => {
  it.each(SIGNALS)(
    `is taken by the store: ${REQUESTS} requests of %s, half of them with bytes changed`,
    async (signal) => {
      const random = randomFrom(SEED);
      const passed: Buffer[] = [];
      for (let number = 0; number < REQUESTS; number += 1) {
        const request = generateRequest(signal, random);
        const changed = random.chance(0.5) ? mutated(request, random) : request;
        const written = taken(signal, changed);
        if (written) passed.push(written);
      }
      expect(passed.length).toBeGreaterThan(REQUESTS / 5);
      for (let at = 0; at < passed.length; at += PER_SEGMENT) {
        const some = passed.slice(at, at + PER_SEGMENT);
        const items = some.reduce((sum, request) => sum + itemsOf(signal, request), 0);
        const loaded = opened.store.load(opened.segment(nextId(signal), some, 'scout/host-1'));
        await expect(loaded, `seed ${SEED}, request ${at} and on`).resolves.toEqual({ items });
      }
    },
  );
});

it('what is nested deeper than the database looks is there whole, as JSON', async () => {
  const deep = {
    arrayValue: {
      values: [
        {
          kvlistValue: { values: [{ key: 'parts', value: { arrayValue: { values: [{ intValue: '7' }] } } }] },
        },
      ],
    },
  };
  const said = [{ key: 'said', value: deep }];
  const span = {
    ...{ traceId: '5b8efff798038103d269b633813fc60c', spanId: spanIdOf(70_000), name: 'deep' },
    ...{
      startTimeUnixNano: String(RECEIVED_AT),
      attributes: said,
      events: [{ name: 'e', attributes: said }],
    },
  };
  const record = { timeUnixNano: String(RECEIVED_AT), eventName: 'deep', body: deep, attributes: said };
  const requests: Partial<Record<Signal, unknown>> = {
    traces: { resourceSpans: [{ resource: { attributes: said }, scopeSpans: [{ spans: [span] }] }] },
    logs: { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] },
  };
  for (const [signal, request] of Object.entries(requests) as [Signal, unknown][]) {
    const given = taken(signal, jsonToProtobuf(signal, Buffer.from(JSON.stringify(request))))!;
    await opened.store.load(opened.segment(nextId(signal), [given]));
  }
  const text = '[{"parts":[7]}]';
  const [row] = await opened.store.query(
    "SELECT SpanAttributes, ResourceAttributes, `Events.Attributes` AS events FROM otel_traces WHERE SpanName = 'deep'",
  );
  expect(row).toEqual({
    SpanAttributes: { said: text },
    ResourceAttributes: { said: text },
    events: [{ said: text }],
  });
  const [log] = await opened.store.query(
    "SELECT Body, LogAttributes FROM otel_logs WHERE EventName = 'deep'",
  );
  expect(log).toEqual({ Body: text, LogAttributes: { said: text } });
});

function itemsOf(signal: Signal, request: Buffer): number {
  const { items, badIds } = walkFraming(signal, request);
  return items - badIds;
}

/** A span of one attribute, whose value is `write`'s. */
function attributeOf(write: (writer: ProtobufWriter) => void): Buffer {
  const writer = new ProtobufWriter(256);
  const attribute = () => {
    writer.string(1, 'key');
    write(writer);
  };
  writer.message(1, () => writer.message(2, () => writer.message(2, () => writer.message(9, attribute))));
  return writer.finish();
}

const text = (writer: ProtobufWriter) => writer.string(1, 'text');
const whole = (writer: ProtobufWriter) => writer.uint(3, 1);
type Arms = readonly ((writer: ProtobufWriter) => void)[];
const aValue = (arms: Arms) => (writer: ProtobufWriter) =>
  writer.message(2, () => {
    for (const arm of arms) arm(writer);
  });

/** Spans with a resource of so many bytes, all of which the database repeats beside each. */
function sharing(spans: number, resourceBytes: number): Buffer {
  const writer = new ProtobufWriter(1 << 20);
  const long = () => {
    writer.string(1, 'long');
    writer.message(2, () => writer.string(1, 'x'.repeat(resourceBytes)));
  };
  writer.message(1, () => {
    writer.message(1, () => writer.message(1, long));
    writer.message(2, () => {
      for (let span = 0; span < spans; span += 1)
        writer.message(2, () => {
          writer.bytes(1, Buffer.alloc(16, 1));
          writer.bytes(2, Buffer.from(spanIdOf(span), 'hex'));
        });
    });
  });
  return writer.finish();
}

/** Requests that are legal protobuf, that no writer sends, and that the database can't take. */
const twoArms = () => attributeOf(aValue([text, whole]));
const twoValues = () =>
  attributeOf((writer) => {
    aValue([text])(writer);
    aValue([whole])(writer);
  });
const heavy = () => sharing(10_000, 100_000);
const POISONS: readonly [what: string, signal: Signal, request: () => Buffer][] = [
  ['a value with two arms', 'traces', twoArms],
  ['the same arm twice', 'traces', () => attributeOf(aValue([text, text]))],
  ['two values of one key', 'traces', twoValues],
  ['a boolean of 2³²', 'traces', () => attributeOf(aValue([(w) => w.uint(2, 2 ** 32)]))],
  ['a resource repeated beyond memory', 'traces', heavy],
];

describe('what the database can’t take', () => {
  it.each(POISONS)('%s: is refused at the door', (_what, signal, request) => {
    expect(taken(signal, request())).toBe(null);
  });

  it('and what would take its memory is in doubt, with nothing of it stored', async () => {
    const failure = await opened.store
      .load(opened.segment(nextId('traces'), [heavy()]))
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(SegmentInDoubt);
    expect(failure).toMatchObject({ code: 241, partly: false });
  });

  it('COL-13: had it passed the door, it alone is set aside with its reason, and all others land', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'outrider-poison-'));
    // Tries again at once: how long it waits is not what is tested.
    const clock = { ...systemClock, after: (_ms: number, call: () => void) => systemClock.after(0, call) };
    const queue = await openQueue({ directory, loader: opened.store, log: silentLog, clock });
    const good = [0, 1, 2].map((at) => requestOf([{ spanId: spanIdOf(9_000 + at), name: 'past poison' }]));
    const requests = [good[0]!, twoArms(), good[1]!, heavy(), good[2]!];
    const answers = await Promise.all(requests.map((request) => queue.append(request, 'scout/host-1')));
    expect(answers.map(({ kind }) => kind)).toEqual(requests.map(() => 'stored'));
    await queue.drain();
    const [row] = await opened.store.query(
      "SELECT count() AS spans FROM otel_traces WHERE SpanName = 'past poison'",
    );
    expect(row).toEqual({ spans: '3' });
    const reasons = readdirSync(join(directory, 'quarantine')).filter((name) => name.endsWith('.reason'));
    const said = reasons.sort().map((name) => readFileSync(join(directory, 'quarantine', name), 'utf8'));
    expect(said).toEqual([
      expect.stringContaining('more than one value'),
      expect.stringContaining('memory limit'),
    ]);
    await queue.close();
    rmSync(directory, { recursive: true });
  });

  it('and what was set aside after some tables had it is in each of them once, when it is loaded again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'outrider-again-'));
    let refuses = true;
    const loader: Loader = {
      async load(segment) {
        const loaded = await opened.store.load(segment);
        if (refuses) throw new SegmentRejected(436, 'the last of its tables refuses it');
        return loaded;
      },
      takeBack: (segment) => opened.store.takeBack(segment),
    };
    const queue = await openQueue({ directory, loader, log: silentLog, clock: systemClock, loadAfterMs: 10 });
    const points = [1, 2, 3].map((value) => ({ timeUnixNano: String(RECEIVED_AT), asInt: String(value) }));
    const metrics = [
      { name: 'set aside', gauge: { dataPoints: points } },
      { name: 'set aside', sum: { dataPoints: points, aggregationTemporality: 2, isMonotonic: true } },
    ];
    const request = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
    await queue.append(jsonToProtobuf('metrics', Buffer.from(JSON.stringify(request))), '', 'metrics');
    await queue.drain();
    const [aside] = await queue.again.list(10);
    refuses = false;
    await queue.again.load(aside!.name);
    await queue.drain();
    expect(await queue.again.list(10)).toEqual([]);
    const [stored] = await opened.store.query(`SELECT
      (SELECT count() FROM otel_metrics_gauge WHERE MetricName = 'set aside') AS gauges,
      (SELECT count() FROM otel_metrics_sum WHERE MetricName = 'set aside') AS sums,
      (SELECT sum(Spans) FROM otel_segments WHERE startsWith(SegmentId, '${aside!.name}')) AS counted`);
    expect(stored).toEqual({ gauges: '3', sums: '3', counted: '6' });
    await queue.close();
    rmSync(directory, { recursive: true });
  });
});
