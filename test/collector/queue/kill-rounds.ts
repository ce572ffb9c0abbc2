// A collector killed again and again while agents send spans and log records and sidecars their chained records; what is
// not answered is sent again, the same bytes. At the end the store must hold all that was acknowledged, each once, its
// rollups must be what comes of it anew, and every chain must be whole.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openQueue, type Queue } from '../../../collector/queue/queue.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import type { Signal } from '../../../collector/signals.ts';
import { openStore, type Store } from '../../../collector/store/store.ts';
import { verifyChain } from '../../../contract/audit-entry.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyStore } from '../../support/empty-stores.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { ROLLUP_NAMES, rollupBothWays } from '../store/rollups.ts';
import { createSidecar, type Sidecar } from './chained-records.ts';
import { randomFrom } from './random.ts';

const AGENTS = 4;
const SIDECARS = 4;
const ITEMS_PER_REQUEST = 5;
const ACKS_PER_ROUND_MAX = 150;
const JOINED = 'joined';

export interface KillRounds {
  readonly directory: string;
  readonly rounds: number;
  readonly seed: number;
  /** Told after every round. */
  readonly onRound?: (round: number) => void;
}

/** What agents sent: numbers stand for requests. */
interface Sent {
  next: number;
  readonly unanswered: number[];
  readonly acknowledged: Set<number>;
}

export async function killAgainAndAgain({ directory, rounds, seed, onRound }: KillRounds): Promise<void> {
  copyStore(join(directory, 'store'));
  const random = randomFrom(seed);
  const sent: Sent = { next: 0, unanswered: [], acknowledged: new Set() };
  const sidecars = Array.from({ length: SIDECARS }, (_, number) => createSidecar(number, ITEMS_PER_REQUEST));
  for (let round = 0; round < rounds; round++) {
    await untilKilled(await startCollector(directory), 1 + random.below(ACKS_PER_ROUND_MAX), sent, sidecars);
    onRound?.(round + 1);
  }
  await atRest(directory, async (store, queue) => {
    await sendTheRest(queue, sent, sidecars);
    await expectAllOnce(store, sent, sidecars, `seed ${seed}`);
  });
}

interface Running {
  readonly url: string;
  kill(): Promise<void>;
}

async function startCollector(directory: string): Promise<Running> {
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

/** Everybody sends until the collector is dead: after so many acknowledgements, with all that is under way. */
async function untilKilled(
  collector: Running,
  killAfter: number,
  sent: Sent,
  sidecars: readonly Sidecar[],
): Promise<void> {
  const killed = Promise.withResolvers<void>();
  let acks = 0;
  const acknowledged = (): void => {
    acks += 1;
    if (acks === killAfter) killed.resolve(collector.kill());
  };
  const agent = async (): Promise<void> => {
    for (;;) {
      const number = sent.unanswered.pop() ?? sent.next++;
      const { signal, body } = numbered(number);
      if (!(await isTaken(collector.url, signal, body, {}))) return void sent.unanswered.push(number);
      sent.acknowledged.add(number);
      acknowledged();
    }
  };
  const sidecar = async (each: Sidecar): Promise<void> => {
    const headers = { authorization: `Bearer ${JOINED}` };
    while (await isTaken(collector.url, 'traces', each.request(), headers)) {
      each.acknowledged();
      acknowledged();
    }
  };
  await Promise.all([...Array.from({ length: AGENTS }, agent), ...sidecars.map(sidecar), killed.promise]);
}

async function isTaken(url: string, signal: Signal, body: Buffer, headers: object): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/v1/${signal}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-protobuf', ...headers },
    });
    return answer.status === 200;
  } catch {
    return false; // the collector is gone
  }
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

async function atRest(directory: string, look: (store: Store, queue: Queue) => Promise<void>): Promise<void> {
  const ambient = { log: silentLog, clock: systemClock };
  const store = await openStore({
    dataDirectory: join(directory, 'store'),
    sqlListen: '127.0.0.1:0',
    ...ambient,
  });
  const queue = await openQueue({ directory: join(directory, 'queue'), loader: store, ...ambient });
  await look(store, queue);
  await queue.close();
  await store.close();
}

async function sendTheRest(queue: Queue, sent: Sent, sidecars: readonly Sidecar[]): Promise<void> {
  for (const number of sent.unanswered) {
    const { signal, body } = numbered(number);
    expect((await queue.append(body, '', signal)).kind).not.toBe('refused');
    sent.acknowledged.add(number);
  }
  for (const sidecar of sidecars) {
    expect((await queue.append(sidecar.request(), 'join', 'traces')).kind).not.toBe('refused');
    sidecar.acknowledged();
  }
  await queue.drain();
}

async function expectAllOnce(
  store: Store,
  sent: Sent,
  sidecars: readonly Sidecar[],
  seed: string,
): Promise<void> {
  expect(sent.acknowledged.size, seed).toBe(sent.next);
  const logRequests = [...sent.acknowledged].filter((number) => numbered(number).signal === 'logs').length;
  const records = String(logRequests * ITEMS_PER_REQUEST);
  const spans = String((sent.acknowledged.size - logRequests) * ITEMS_PER_REQUEST);
  const [stored] = await store.query(`SELECT
    countIf(ScopeName = '') AS spans, uniqExactIf(SpanId, ScopeName = '') AS ids,
    (SELECT count() FROM otel_logs) AS records, (SELECT uniqExact(EventName) FROM otel_logs) AS names FROM otel_traces`);
  expect(stored, seed).toEqual({ spans, ids: spans, records, names: records });
  for (const name of ROLLUP_NAMES) {
    const { kept, anew } = await rollupBothWays(store, name);
    expect(kept, `${name}, ${seed}`).toBe(anew);
  }
  for (const sidecar of sidecars) await expectWholeChain(store, sidecar, seed);
}

async function expectWholeChain(store: Store, { stream, records }: Sidecar, seed: string): Promise<void> {
  const links = await store.query<{ entry: string; hash: string }>(
    `SELECT audit_entry AS entry, audit_hash AS hash FROM actions
     WHERE audit_stream = {stream:String} ORDER BY audit_seq`,
    { stream },
  );
  expect(links.length, `${stream}, ${seed}`).toBe(records());
  expect(verifyChain(links), `${stream}, ${seed}`).toBeNull();
}
