// What happens to data when the store process dies: nothing is lost, nothing is there twice, and it comes back.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { genaiRequest } from '../../../bench/genai-spans.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { StoreUnavailable } from '../../../collector/store/failures.ts';
import type { EmbeddedStore, Segment, Store } from '../../../collector/store/store.ts';
import { systemClock } from '../../../kit/clock.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT, temporaryDirectory } from './open.ts';
import { ROLLUP_NAMES, rollupBothWays } from './rollups.ts';

const SPANS_PER_REQUEST = 256;
const REQUESTS = 12;
const SPANS = SPANS_PER_REQUEST * REQUESTS;
const KILLS = 3;
const HOUR = 3_600_000_000_000n;

/** As the queue does: a segment in doubt is loaded until it is in. */
async function loadUntilIn(store: Store, segment: Segment): Promise<{ items: number }> {
  for (;;) {
    try {
      return await store.load(segment);
    } catch (failure) {
      if (!(failure instanceof StoreUnavailable)) throw failure;
      await delay(20);
    }
  }
}

/**
 * Loads one segment after the other, and kills the store in the middle of as many as `kills` says, sooner and later: one that
 * was in before the kill came tells that loads take less time than was thought. Answers how many are in.
 */
async function killMidway(
  store: EmbeddedStore,
  segmentOf: (round: number) => Segment,
  items: number,
  kills: number,
): Promise<number> {
  const started = performance.now();
  await store.load(segmentOf(0));
  let loadMs = performance.now() - started;
  let round = 1;
  for (let midway = 0; midway < kills; round += 1) {
    const segment = segmentOf(round);
    const loading = store.load(segment).then(
      () => null,
      (failure: unknown) => failure,
    );
    await delay((loadMs * (midway + 1)) / (kills + 1));
    process.kill(store.pid(), 'SIGKILL');
    const failure = await loading;
    if (failure === null) loadMs /= 2;
    else {
      expect(failure).toBeInstanceOf(StoreUnavailable);
      midway += 1;
    }
    expect(await loadUntilIn(store, segment)).toEqual({ items });
  }
  return round;
}

function bigSegment(opened: OpenedStore, round: number): Segment {
  const requests = Array.from({ length: REQUESTS }, (_, at) =>
    genaiRequest('record', round * SPANS + at * SPANS_PER_REQUEST, SPANS_PER_REQUEST, RECEIVED_AT - HOUR),
  );
  return opened.segment(`round-${round}`, requests, 'scout/host-1');
}

const METRICS_KILLS = 2;
const POINTS = 500;
const KINDS = ['gauge', 'sum', 'summary'] as const;

function metricsSegment(opened: OpenedStore, round: number): Segment {
  const timeUnixNano = String(RECEIVED_AT - HOUR);
  const dataPoints = Array.from({ length: POINTS }, (_, n) => ({
    timeUnixNano,
    attributes: [{ key: 'n', value: { intValue: n } }],
  }));
  const metrics = KINDS.map((kind) => ({ name: `round.${round}`, [kind]: { dataPoints } }));
  const request = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
  const bytes = jsonToProtobuf('metrics', Buffer.from(JSON.stringify(request)));
  return opened.segment(`${String(round).padStart(12, '0')}-00c0ffee-metrics`, [bytes]);
}

describe('a store process killed while it loads', () => {
  let opened: OpenedStore;
  beforeAll(async () => {
    // Restarts at once: how long to wait between them is not what is tested.
    const clock = { ...systemClock, after: (_ms: number, call: () => void) => systemClock.after(0, call) };
    opened = await openTestStore({ clock });
  });
  afterAll(() => opened.close());

  test(`${KILLS} times, at different moments, has each span exactly once in every table`, {
    timeout: 120_000,
  }, async () => {
    const segments = await killMidway(opened.store, (round) => bigSegment(opened, round), SPANS, KILLS);
    const all = String(SPANS * segments);
    const [row] = await opened.store.query(`SELECT
      (SELECT count() FROM otel_traces) AS spans, (SELECT uniqExact(SpanId) FROM otel_traces) AS unique_spans,
      (SELECT count() FROM actions) AS actions, (SELECT uniqExact(span_id) FROM actions) AS unique_actions,
      (SELECT sum(Spans) FROM otel_segments) AS counted,
      (SELECT count() = uniqExact(TraceId, Start, End) FROM otel_traces_trace_id_ts) AS lookup_once`);
    expect(row).toEqual({
      spans: all,
      unique_spans: all,
      actions: all,
      unique_actions: all,
      counted: all,
      lookup_once: 1,
    });
    for (const name of ROLLUP_NAMES) {
      const { kept, anew } = await rollupBothWays(opened.store, name);
      expect(kept, name).toBe(anew);
    }
  });

  test('between the tables of a segment of metrics, has each point exactly once', {
    timeout: 120_000,
  }, async () => {
    const { store } = opened;
    const items = POINTS * KINDS.length;
    const segments = await killMidway(store, (round) => metricsSegment(opened, round), items, METRICS_KILLS);
    for (const kind of KINDS) {
      const [row] = await store.query(
        `SELECT count() AS points, uniqExact(MetricName, Attributes['n']) AS different FROM otel_metrics_${kind}`,
      );
      const all = String(POINTS * segments);
      expect(row, kind).toEqual({ points: all, different: all });
    }
  });

  test('answers StoreUnavailable while it is away, and keeps its SQL door when it is back', async () => {
    const { store } = opened;
    const before = store.pid();
    const url = store.sqlUrl;
    process.kill(before, 'SIGKILL');
    await expect(store.query('SELECT 1')).rejects.toBeInstanceOf(StoreUnavailable);
    await loadUntilIn(store, opened.segment('after', [genaiRequest('agent', 0, 1, RECEIVED_AT - HOUR)]));
    expect(store.pid()).not.toBe(before);
    expect(await (await fetch(`${url}/?query=SELECT+1`)).text()).toBe('1\n');
  });

  test('loads go on while a reader tries to eat all memory', async () => {
    const { store } = opened;
    const before = store.pid();
    const greedy = ['groupArray(number)', 'groupArray(toString(number))', 'groupUniqArray(number)'].map(
      async (hunger) => {
        const body = `SELECT length(${hunger}) FROM numbers(1000000000)`;
        const response = await fetch(store.sqlUrl, { method: 'POST', body });
        return { status: response.status, text: await response.text() };
      },
    );
    const segment = bigSegment(opened, 1_000);
    expect(await store.load(segment)).toEqual({ items: SPANS });
    for (const { status, text } of await Promise.all(greedy)) {
      expect(status).toBe(500);
      expect(text).toContain('MEMORY_LIMIT_EXCEEDED');
    }
    expect(store.pid()).toBe(before);
  });
});

describe('the life of the store process', () => {
  test('ends with its parent, even when the parent is killed', async () => {
    const directory = temporaryDirectory();
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL('./parent.ts', import.meta.url)), directory],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const { pid } = JSON.parse(line) as { pid: number };
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await gone(pid);
    // The lock went with it: the same directory opens at once.
    const again = await openTestStore({ dataDirectory: directory });
    expect(await again.store.query('SELECT 1 AS a')).toEqual([{ a: 1 }]);
    await again.close();
  });

  test('gets none of our environment', async () => {
    process.env.OUTRIDER_TEST_SECRET = 'do-not-inherit';
    const opened = await openTestStore();
    const environment = readFileSync(`/proc/${opened.store.pid()}/environ`, 'utf8');
    expect(environment).toContain('UV_THREADPOOL_SIZE=');
    expect(environment).not.toContain('do-not-inherit');
    await opened.close();
    delete process.env.OUTRIDER_TEST_SECRET;
  });

  test('does not start on a taken port, and says so', async () => {
    const opened = await openTestStore();
    const { host } = new URL(opened.store.sqlUrl);
    await expect(openTestStore({ sqlListen: host })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await opened.close();
  });

  test('does not share its directory', async () => {
    const opened = await openTestStore();
    await expect(openTestStore({ dataDirectory: opened.directory })).rejects.toThrow(
      /Another server instance in same directory/,
    );
    await opened.close();
  });

  test('opened again has its rows, and applies no migration twice', async () => {
    const directory = temporaryDirectory();
    const first = await openTestStore({ dataDirectory: directory });
    await first.store.load(
      first.segment('kept', [genaiRequest('record', 0, 10, RECEIVED_AT - HOUR)], 'scout/host-1'),
    );
    await first.store.close();
    const applied: string[] = [];
    const log = {
      info: (event: string) => void applied.push(event),
      warn: () => undefined,
      error: () => undefined,
    };
    const second = await openTestStore({ dataDirectory: directory, log });
    expect(await second.store.query('SELECT count() AS n FROM actions')).toEqual([{ n: '10' }]);
    expect(applied).toEqual([]);
    await second.close();
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** No event tells a stranger's end, so this looks. */
async function gone(pid: number): Promise<void> {
  while (alive(pid)) await delay(10);
}
