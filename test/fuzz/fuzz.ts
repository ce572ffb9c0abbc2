// A round of mutated requests through a real sidecar. The judges: whatever reached the origin is allowed by its own
// reading, stands in the record as allowed, with the very same bytes; nothing crashed, hung or grew.

import { join } from 'node:path';
import { expect } from 'vitest';
import {
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { mutated } from './mutate.ts';
import { type Origin, type Received, startOrigin } from './origin.ts';
import { randomFrom } from './random.ts';
import { type Valid, validRequests } from './requests.ts';
import { exchange } from './socket.ts';

const IN_FLIGHT = 100;
/** Of the sidecar's process after its first round: a heap that was never full grows that much before it is collected. */
const GROWTH_BYTES_MAX = 128 * 1024 * 1024;

const configOf = (origin: string): string => `fleet: fuzz
mode: enforce
budgets: [$1000000/month]
upstreams:
  openai: { url: "http://${origin}/o", speaks: openai }
  anthropic: { url: "http://${origin}/a", speaks: anthropic }
  bedrock: { url: "http://${origin}/b", speaks: bedrock }
  tools: { url: "http://${origin}/mcp", speaks: mcp }
  pages: { url: "http://${origin}/pages", speaks: http }
roles:
  fuzzer:
    allow:
      - llm openai/gpt-5-mini
      - llm anthropic/claude-haiku-4-5
      - llm bedrock/amazon.nova-lite-v1:0
      - mcp tools/read_*
      - http GET http://${origin}/pages/ok/**
agents: { scout: { role: fuzzer } }
prices:
  bedrock/amazon.nova-lite-v1:0: { input: 0.06, output: 0.24, max_output: 4096 }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

export interface Fuzz {
  /** Sends requests `from` to `from + count - 1` of the seed and judges them. Throws with what to run it again by. */
  round(seed: number, from: number, count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startFuzz(): Promise<Fuzz> {
  const origin = await startOrigin();
  const directory = temporaryDirectory('fuzz');
  const shared = [
    '--config',
    writeConfig(directory, configOf(origin.address)),
    '--data',
    join(directory, 'data'),
  ];
  const env = { OUTRIDER_TOKEN: '' };
  const collector = await startOutrider(['collector', ...shared], { ready: 1, env });
  const { control, sql } = collector.listen.collector!;
  const sidecar = await startOutrider(['sidecar', ...shared, '--agent', 'scout', '--collector', control!], {
    ready: 1,
    env,
  });
  const { proxy, admin } = sidecar.listen.sidecar!;
  const { host, port } = new URL(proxy!);
  const valid = validRequests({ proxy: host, origin: origin.address });
  let ended = false;
  void sidecar.exited.then(() => {
    ended = true;
  });
  let warm: number | undefined;

  async function judge(reached: readonly Received[]): Promise<void> {
    if (ended) throw new Error(`the sidecar ended:\n${sidecar.output().slice(-2000)}`);
    expect(origin.violations).toEqual([]);
    expect(sidecar.output()).not.toMatch(/call\.crashed|call\.invariant_broken/);
    await expectRecorded(sql!, reached);
    const resident = await residentBytes(admin!);
    warm ??= resident;
    expect(resident - warm).toBeLessThan(GROWTH_BYTES_MAX);
  }

  return {
    async round(seed, from, count) {
      try {
        await sendAll(valid, Number(port), { seed, from, count });
        await judge(await settled(origin, admin!));
      } catch (failure) {
        const again = `FUZZ_SEED=${seed} FUZZ_FROM=${from} FUZZ_COUNT=${count}`;
        throw new Error(`${again}: ${failure instanceof Error ? failure.message : String(failure)}`, {
          cause: failure,
        });
      }
    },
    async stop() {
      await stopped(sidecar);
      await stopped(collector);
      await origin.close();
    },
  };
}

async function stopped(process: Started): Promise<void> {
  process.child.kill('SIGTERM');
  expect(await process.exited).toBe(0);
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
      const bytes = mutated(valid, randomFrom(seed * 0x9e3779b1 + index));
      try {
        await exchange(port, bytes);
      } catch (failure) {
        throw new Error(`request ${index} (${bytes.toString('base64')}) was ${(failure as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
}

/** What reached the origin once nothing is in flight any more. */
async function settled(origin: Origin, admin: string): Promise<Received[]> {
  await until(
    () => metric(admin, 'outrider_calls_in_flight'),
    (inFlight) => inFlight === 0,
  );
  return origin.take();
}

interface Recorded {
  readonly span: string;
  readonly digest: string;
  readonly verdict: string;
  readonly refusal: string;
}

async function expectRecorded(sql: string, reached: readonly Received[]): Promise<void> {
  const query = `SELECT lower(SpanId) AS span, SpanAttributes['outrider.request.body.sha256'] AS digest,
      SpanAttributes['outrider.verdict'] AS verdict, SpanAttributes['outrider.refusal'] AS refusal
    FROM otel_traces WHERE SpanAttributes['outrider.verdict'] = 'allow'`;
  const spans = new Set(reached.map(({ spanId }) => spanId));
  expect(spans.size, 'each request has a span of its own').toBe(reached.length);
  const found = await until(
    async () => new Map((await rows<Recorded>(sql, query)).map((row) => [row.span, row])),
    (recorded) => [...spans].every((span) => recorded.has(span)),
    120_000,
  );
  const other = reached.filter(({ spanId, digests }) => !digests.includes(found.get(spanId)!.digest));
  expect(other, 'what was judged is what was sent').toEqual([]);
}

async function metric(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const values = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

const residentBytes = (admin: string): Promise<number> => metric(admin, 'process_resident_memory_bytes');
