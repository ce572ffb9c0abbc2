// A round of mutated requests through a real sidecar. The judges: whatever reached the origin is allowed by its own
// reading, stands in the record as allowed, with the very same bytes; nothing crashed, hung or grew.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Started, startOutrider, temporaryDirectory, until, writeConfig } from '../support/processes.ts';
import { type Held, INSPECTED, inspect, type Memory } from './memory.ts';
import { mutated, type Sent, whole } from './mutate.ts';
import { type Origin, type Received, startOrigin } from './origin.ts';
import { configOf } from './places.ts';
import { randomFrom } from './random.ts';
import { expectRecorded } from './records.ts';
import { type Valid, validRequests } from './requests.ts';
import { exchange } from './socket.ts';

const IN_FLIGHT = 300;
/** Of a sidecar that has just started and loads what it needs for the first of each kind. */
const FIRST_ANSWERS_MS = 2_000;
const MIB = 1024 * 1024;
/** Of what the sidecar still holds once its garbage is collected, after its first round. */
const LIVE_GROWTH_BYTES_MAX = 3 * MIB;
/** The same, as the machine counts it: what allocators keep in reserve settles some rounds later. */
const RESIDENT_GROWTH_BYTES_MAX = 32 * MIB;

export interface Fuzz {
  /** Sends requests `from` to `from + count - 1` of the seed and judges them. Throws with what to run it again by. */
  round(seed: number, from: number, count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startFuzz(): Promise<Fuzz> {
  const origin = await startOrigin();
  const fleet = await startFleet(origin);
  const { sidecar, collector, memory, admin } = fleet;
  const port = Number(new URL(fleet.proxy).port);
  const valid = validRequests({
    proxy: new URL(fleet.proxy).host,
    origin: origin.address,
    secure: origin.secureAddress,
  });
  let ended = false;
  void sidecar.exited.then(() => {
    ended = true;
  });
  let first: Held | undefined;

  async function judge(reached: readonly Received[], sinceMs: number): Promise<void> {
    if (ended) throw new Error(`the sidecar ended:\n${sidecar.output().slice(-2000)}`);
    expect(origin.violations).toEqual([]);
    expect(sidecar.output()).not.toMatch(/call\.crashed|call\.invariant_broken/);
    await expectRecorded(fleet.sql, reached, sinceMs);
    const held = await memory.held();
    first ??= held;
    expect(held.liveBytes - first.liveBytes).toBeLessThan(LIVE_GROWTH_BYTES_MAX);
    expect(held.residentBytes - first.residentBytes).toBeLessThan(RESIDENT_GROWTH_BYTES_MAX);
  }

  await expectValid(valid, port);
  await settled(origin, admin);
  return {
    async round(seed, from, count) {
      const sinceMs = Date.now();
      try {
        await sendAll(valid, port, { seed, from, count });
        await judge(await settled(origin, admin), sinceMs);
      } catch (failure) {
        const again = `FUZZ_SEED=${seed} FUZZ_FROM=${from} FUZZ_COUNT=${count}`;
        throw new Error(`${again}: ${failure instanceof Error ? failure.message : String(failure)}`, {
          cause: failure,
        });
      }
    },
    async stop() {
      memory.close(); // a process under inspection waits for that
      await stopped(sidecar);
      await stopped(collector);
      await origin.close();
    },
  };
}

interface Fleet {
  readonly sidecar: Started;
  readonly collector: Started;
  readonly memory: Memory;
  readonly proxy: string;
  readonly admin: string;
  readonly sql: string;
}

async function startFleet(origin: Origin): Promise<Fleet> {
  const directory = temporaryDirectory('fuzz');
  const authority = join(directory, 'authority.pem');
  writeFileSync(authority, origin.authorityPem);
  const env = { OUTRIDER_TOKEN: '', NODE_EXTRA_CA_CERTS: authority };
  const config = configOf({ origin: origin.address, secure: origin.secureAddress });
  const shared = ['--config', writeConfig(directory, config), '--data', join(directory, 'data')];
  const collector = await startOutrider(['collector', ...shared], { ready: 1, env });
  const { control, sql } = collector.listen.collector!;
  const sidecar = await startOutrider(
    [...INSPECTED.args, 'sidecar', ...shared, '--agent', 'scout', '--collector', control!],
    { ready: 1, env, program: INSPECTED.program },
  );
  const { proxy, admin } = sidecar.listen.sidecar!;
  const memory = await inspect(sidecar.output());
  return { sidecar, collector, memory, proxy: proxy!, admin: admin!, sql: sql! };
}

async function stopped(process: Started): Promise<void> {
  process.child.kill('SIGTERM');
  expect(await process.exited).toBe(0);
}

/** What no mutation has touched is let through, or mutations of it would show nothing. */
async function expectValid(valid: readonly Valid[], port: number): Promise<void> {
  const answered = await Promise.all(
    valid.map(async (request) => ({
      line: request.head[0],
      status: await exchange(port, whole(request), FIRST_ANSWERS_MS),
    })),
  );
  expect(answered.filter(({ status }) => status !== 200 && status !== 101)).toEqual([]);
}

/** Each request has numbers of its own, so that one alone can be sent again. */
async function sendAll(
  valid: readonly Valid[],
  port: number,
  { seed, from, count }: { seed: number; from: number; count: number },
): Promise<void> {
  let next = from;
  const sender = async (): Promise<void> => {
    while (next < from + count) {
      const index = next++;
      const sent = mutated(valid, randomFrom(seed * 0x9e3779b1 + index));
      await exchange(port, sent).catch((failure: Error) => {
        throw new Error(`${nameOf(index, sent)} was ${failure.message}`);
      });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
}

const nameOf = (index: number, { bytes, through }: Sent): string =>
  `request ${index} (${bytes.toString('base64')}${through ? ` inside ${through.authority}` : ''})`;

/** What reached the origin once nothing is in flight any more. */
async function settled(origin: Origin, admin: string): Promise<Received[]> {
  await until(
    () => callsInFlight(admin),
    (inFlight) => inFlight === 0,
  );
  return origin.take();
}

async function callsInFlight(admin: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const values = text.matchAll(/^outrider_calls_in_flight(?:\{[^}]*\})? (\S+)$/gm);
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}
