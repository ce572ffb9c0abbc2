// The promise, kept by the real thing: a collector killed again and again while a client exports; what was acknowledged
// is in ClickHouse exactly once, and so is what had to be sent again.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openQueue } from '../../../collector/queue/queue.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import type { Signal } from '../../../collector/signals.ts';
import { openStore } from '../../../collector/store/store.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { randomFrom } from './random.ts';

const ROUNDS = 10;
const SENDERS = 8;
const ITEMS_PER_REQUEST = 5;
const ACKS_PER_ROUND_MAX = 300;

const directory = mkdtempSync(join(tmpdir(), 'outrider-killed-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function start() {
  const script = fileURLToPath(new URL('collector-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const exited = once(child, 'exit');
  return {
    url,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Every third request is one of log records, and is told so by its number alone. */
function numbered(number: number): { readonly signal: Signal; readonly body: Buffer } {
  if (number % 3 === 0) return { signal: 'logs', body: logRecords(number) };
  const spans = Array.from({ length: ITEMS_PER_REQUEST }, (_, index) => ({
    spanId: spanIdOf(number * ITEMS_PER_REQUEST + index),
  }));
  return { signal: 'traces', body: requestOf(spans) };
}

function logRecords(number: number): Buffer {
  const names = Array.from({ length: ITEMS_PER_REQUEST }, (_, index) => `record ${number}.${index}`);
  const request = {
    resourceLogs: [{ scopeLogs: [{ logRecords: names.map((eventName) => ({ eventName })) }] }],
  };
  return jsonToProtobuf('logs', Buffer.from(JSON.stringify(request)));
}

describe('a collector killed while it takes and loads', () => {
  it(`${ROUNDS} times: every acknowledged span and log record is stored exactly once`, {
    timeout: 180_000,
  }, async () => {
    const seed = Number(process.env.OUTRIDER_SEED ?? Date.now() % 1_000_000);
    const random = randomFrom(seed);
    let next = 0;
    const unanswered: number[] = [];
    const acknowledged = new Set<number>();

    for (let round = 0; round < ROUNDS; round += 1) {
      const collector = await start();
      const killAfter = 1 + random.below(ACKS_PER_ROUND_MAX);
      let acks = 0;
      const isKilled = Promise.withResolvers<void>();
      const send = async (): Promise<void> => {
        const number = unanswered.pop() ?? next++;
        const { signal, body } = numbered(number);
        try {
          const answer = await fetch(`${collector.url}/v1/${signal}`, {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/x-protobuf' },
          });
          if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
        } catch {
          unanswered.push(number); // sent again, the same bytes, to the next life
          return;
        }
        acknowledged.add(number);
        acks += 1;
        if (acks === killAfter) isKilled.resolve(collector.kill());
        await send();
      };
      await Promise.all([...Array.from({ length: SENDERS }, send), isKilled.promise]);
    }

    const store = await openStore({
      dataDirectory: join(directory, 'store'),
      sqlListen: '127.0.0.1:0',
      log: silentLog,
      clock: systemClock,
    });
    const queue = await openQueue({
      directory: join(directory, 'queue'),
      loader: store,
      log: silentLog,
      clock: systemClock,
    });
    for (const number of unanswered) {
      const { signal, body } = numbered(number);
      expect((await queue.append(body, '', signal)).kind).not.toBe('refused');
      acknowledged.add(number);
    }
    await queue.drain();
    const [stored] = await store.query(`SELECT count() AS spans, uniqExact(SpanId) AS ids,
      (SELECT count() FROM otel_logs) AS records, (SELECT uniqExact(EventName) FROM otel_logs) AS names FROM otel_traces`);
    const logRequests = [...acknowledged].filter((number) => numbered(number).signal === 'logs').length;
    const records = String(logRequests * ITEMS_PER_REQUEST);
    const spans = String((acknowledged.size - logRequests) * ITEMS_PER_REQUEST);
    expect(acknowledged.size, `seed ${seed}`).toBe(next);
    expect(stored, `seed ${seed}`).toEqual({ spans, ids: spans, records, names: records });
    await queue.close();
    await store.close();
  });
});
