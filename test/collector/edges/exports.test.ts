// Copies for another backend: each at least once, whatever the backend answers and whenever we stop, until the bound;
// and the main path never notices.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exports, startExports } from '../../../collector/edges/exports.ts';
import type { Segment } from '../../../collector/queue/loader.ts';
import { type Clock, systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { createSecrets } from '../../../kit/secrets.ts';
import { until } from '../../support/processes.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { type OtlpDouble, startOtlpDouble, type Told } from './otlp-double.ts';
import { segmentOf } from './segments.ts';

let directory: string;
let open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outrider-exports-'));
});
afterEach(async () => {
  for (const each of open.reverse()) await each.close();
  open = [];
  rmSync(directory, { recursive: true, force: true });
});

/** Waits are noted and take no time. */
function hastyClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    ...systemClock,
    waits,
    after(delayMs, call) {
      waits.push(delayMs);
      return systemClock.after(0, call);
    },
  };
}

const request = (number: number) => requestOf([{ spanId: spanIdOf(number) }]);

function segment(number: number): Segment {
  const id = `${String(number).padStart(12, '0')}-abcd`;
  const path = join(directory, `${id}.segment`);
  const bytes = segmentOf([{ request: request(number), sender: 'scout/host' }]);
  writeFileSync(path, bytes);
  return { id, path, bytes: bytes.length };
}

const store = { load: () => Promise.resolve({ items: 1 }) };

async function backend(answer: (number: number) => Told = () => ({ status: 200 })): Promise<OtlpDouble> {
  const double = await startOtlpDouble(answer);
  open.push(double);
  return double;
}

async function exportsTo(
  url: string,
  more: { clock?: Clock; spoolBytesMax?: number } = {},
): Promise<Exports> {
  const { clock = systemClock, ...bounds } = more;
  const exports = await startExports({
    targets: [{ url, headers: { authorization: { from: 'env', locator: 'KEY' } }, bodies: 'none' }],
    directory: join(directory, 'exports'),
    secrets: createSecrets(clock, { KEY: 'Bearer other' }),
    clock,
    log: silentLog,
    ...bounds,
  });
  open.push(exports);
  return exports;
}

/** As the queue does: load, then remove. */
async function land(exports: Exports, landing: Segment): Promise<void> {
  await exports.following(store).load(landing);
  rmSync(landing.path);
}

const spooled = () =>
  readdirSync(join(directory, 'exports'), { recursive: true }).filter((name) =>
    String(name).includes('-abcd'),
  );

describe('export', () => {
  it('sends what landed, gzipped, with the headers of the config, and keeps nothing after', async () => {
    const double = await backend();
    const exports = await exportsTo(double.url);
    await land(exports, segment(1));
    await double.reached({ asked: 1 });
    expect(double.taken).toEqual([request(1)]);
    expect(double.headers[0]).toMatchObject({
      authorization: 'Bearer other',
      'content-type': 'application/x-protobuf',
    });
    await until(
      async () => spooled(),
      (left) => left.length === 0,
    );
  });

  it('waits as long as it is told and ever longer, and sends the same bytes in the end', async () => {
    const answers: Told[] = [
      { status: 503, retryAfter: '7' },
      { status: 429 },
      { status: 502 },
      { status: 401 },
      { status: 503, retryAfter: '0' },
      { status: 200 },
    ];
    const double = await backend((number) => answers[number] ?? { status: 200 });
    const clock = hastyClock();
    const exports = await exportsTo(double.url, { clock });
    await land(exports, segment(1));
    await double.reached({ asked: 6 });
    expect(double.taken).toEqual([request(1)]);
    expect(clock.waits).toEqual([7_000, 2_000, 4_000, 8_000, 16_000]);
    await until(
      async () => exports.state()[0]?.batches,
      (batches) => batches === 1,
    );
    expect(exports.state()[0]).toMatchObject({ retries: 5, refused: 0, dropped: 0 });
  });

  it('gives up a batch that the backend can never take, counts it, and goes on', async () => {
    const double = await backend((number) => ({ status: number === 0 ? 400 : 200 }));
    const exports = await exportsTo(double.url);
    await land(exports, segment(1));
    await land(exports, segment(2));
    await double.reached({ asked: 2 });
    expect(double.taken).toEqual([request(2)]);
    expect(exports.state()[0]).toMatchObject({ refused: 1 });
  });

  it('keeps what a backend that is away has yet to get, over a restart', async () => {
    const away = await startOtlpDouble(() => ({ status: 200 }));
    await away.close();
    const first = await exportsTo(away.url);
    await land(first, segment(1));
    await land(first, segment(2));
    await first.close();
    expect(spooled()).toHaveLength(2);

    const double = await backend();
    const folder = join(directory, 'exports');
    const second = await exportsTo(double.url);
    // Another URL is another backend: what waited for the first is not its business.
    expect(readdirSync(folder)).toHaveLength(1);
    await second.close();
    expect(double.taken).toEqual([]);
  });

  it('sends after a restart what was not delivered before', async () => {
    let status = 503;
    const double = await backend(() => ({ status, retryAfter: '3600' }));
    const first = await exportsTo(double.url);
    await land(first, segment(1));
    await double.reached({ asked: 1 });
    await first.close();
    status = 200;
    await exportsTo(double.url);
    await double.reached({ asked: 2 });
    expect(double.taken).toEqual([request(1)]);
  });

  it('gives up the oldest beyond its bound, never the one being sent, and counts them', async () => {
    const double = await backend(() => ({ status: 503, retryAfter: '3600' }));
    const bytes = segment(0).bytes;
    const exports = await exportsTo(double.url, { spoolBytesMax: 3 * bytes });
    for (const number of [1, 2, 3, 4, 5]) await land(exports, segment(number));
    expect(exports.state()[0]).toMatchObject({ dropped: 2, waitingBytes: 3 * bytes });
    expect(exports.totals()).toEqual({ givenUp: 2, waitingBytes: 3 * bytes });
    expect(spooled().map((name) => Number.parseInt(String(name).split('/')[1]!, 10))).toEqual([1, 4, 5]);
  });

  it('never fails a load, even where no copy can be kept', async () => {
    const double = await backend();
    const exports = await exportsTo(double.url);
    rmSync(join(directory, 'exports'), { recursive: true });
    await expect(exports.following(store).load(segment(1))).resolves.toEqual({ items: 1 });
    expect(exports.state()[0]).toMatchObject({ dropped: 1 });
  });

  it('copies no logs and no metrics', async () => {
    const double = await backend();
    const exports = await exportsTo(double.url);
    const logs = segment(1);
    await exports.following(store).load({ ...logs, id: `${logs.id}-logs` });
    await exports.following(store).load({ ...logs, id: `${logs.id}-metrics` });
    await land(exports, segment(2));
    await double.reached({ asked: 1 });
    expect(double.taken).toEqual([request(2)]);
  });

  it('copies nothing that did not land', async () => {
    const double = await backend();
    const exports = await exportsTo(double.url);
    const failing = { load: () => Promise.reject(new Error('away')) };
    await expect(exports.following(failing).load(segment(1))).rejects.toThrow('away');
    expect(spooled()).toEqual([]);
    expect(existsSync(join(directory, 'exports'))).toBe(true);
  });
});
