// What a call pays for passing the sidecar, against a direct call, a bare undici relay and the Portkey gateway: paired
// and interleaved in one run, everything on (policy, reservation, breaker, journal, spans). Load and upstream have one
// core, the proxy under test the other.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, Pool } from 'undici';
import {
  freePort,
  median,
  percentile,
  type Running,
  residentMegabytes,
  startNode,
  untilAnswers,
} from './processes.ts';
import { type Row, row } from './report.ts';
import { MODEL, REQUEST, startNginx, startStreamer } from './upstream.ts';

const LOAD_CPU = 0;
const PROXY_CPU = 1;
/** A JIT takes its time to settle; what runs for days is measured settled. */
const WARM_SECONDS = 10;
const PATH = '/v1/chat/completions';

interface Arm {
  readonly name: 'direct' | 'relay' | 'outrider' | 'portkey';
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Bench {
  readonly arms: readonly Arm[];
  readonly sidecar: Running;
  stop(): Promise<void>;
}

/** What the command's own first line says to Node. */
const NURSERY = '--max-semi-space-size=4';
/** After so long what the start left behind is gone. */
const SETTLE_MS = 3_000;
/** Another one may be measured: the compiled package's, as it is installed. */
const CLI = process.env.BENCH_CLI ?? new URL('../bin/outrider.js', import.meta.url).pathname;

/** A config with every feature of the hot path in use. */
export function configFor(upstream: string, collector: string): string {
  return `fleet: bench
mode: enforce
budgets: [$900000/month, 900000M tokens/month]
departments: { lab: { budgets: [$900000/month] } }
prohibited:
  - http DELETE https://db.internal/**
upstreams:
  openai: { url: "${upstream}", speaks: openai, credential: openai }
credentials:
  openai: { from: env:BENCH_KEY }
roles:
  researcher:
    allow:
      - llm openai/gpt-5-mini
      - llm openai/gpt-5-nano
      - llm openai/gpt-4.1*
    notify: [llm openai/gpt-5]
    ask: [llm openai/gpt-5-pro]
    deny: [llm openai/o1*]
    limits: { max_output_tokens: 4096, requests: 100000000/minute }
agents:
  scout: { role: researcher, department: lab, version: 1.0.0, budgets: [$900000/month], task_budgets: [$900000] }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: ${new URL(collector).host} }
collector: ${collector}
`;
}

async function setUp(upstream: string): Promise<Bench> {
  const sink = await startNode([new URL('./arms/sink.ts', import.meta.url).pathname], { cpu: LOAD_CPU });
  const relay = await startNode([new URL('./arms/relay.ts', import.meta.url).pathname, upstream], {
    cpu: PROXY_CPU,
  });
  const directory = mkdtempSync(join(tmpdir(), 'outrider-bench-'));
  const config = join(directory, 'outrider.yaml');
  writeFileSync(config, configFor(upstream, String(sink.ready[0]!.url)));
  const env = { BENCH_KEY: 'sk-bench', NODE_COMPILE_CACHE: join(tmpdir(), 'outrider-bench-cache') };
  const args = [NURSERY, CLI, 'sidecar', '--config', config, '--data', directory, '--agent', 'scout'];
  const sidecar = await startNode(args, { cpu: PROXY_CPU, env });
  const portkeyPort = await freePort();
  const portkey = await startNode([portkeyServer(), `--port=${portkeyPort}`, '--headless'], {
    cpu: PROXY_CPU,
    lines: 0,
  });
  await untilAnswers(`http://127.0.0.1:${portkeyPort}/`);
  const { proxy } = sidecar.ready[0]!.listen as { proxy: string };
  const json = { 'content-type': 'application/json' };
  return {
    arms: [
      { name: 'direct', origin: upstream, path: PATH, headers: json },
      { name: 'relay', origin: String(relay.ready[0]!.url), path: PATH, headers: json },
      { name: 'outrider', origin: proxy, path: `/openai${PATH}`, headers: json },
      {
        name: 'portkey',
        origin: `http://127.0.0.1:${portkeyPort}`,
        path: PATH,
        headers: {
          ...json,
          authorization: 'Bearer x',
          'x-portkey-provider': 'openai',
          'x-portkey-custom-host': `${upstream}/v1`,
        },
      },
    ],
    sidecar,
    async stop() {
      await Promise.all([sidecar.stop(), relay.stop(), portkey.stop(), sink.stop()]);
    },
  };
}

function portkeyServer(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('@portkey-ai/gateway/package.json')), 'build', 'start-server.js');
}

/** Requests per second of one arm by wrk; throws when an answer was not a 2xx. */
function throughput(arm: Arm, seconds: number, connections: number): number {
  const script = join(mkdtempSync(join(tmpdir(), 'outrider-wrk-')), 'post.lua');
  const headers = Object.entries(arm.headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = ${JSON.stringify(REQUEST)}\n${headers.join('\n')}\n`,
  );
  const url = arm.origin + arm.path;
  const out = execFileSync(
    'taskset',
    ['-c', String(LOAD_CPU), 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url],
    { encoding: 'utf8' },
  );
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1];
  if (bad) throw new Error(`${arm.name}: ${bad} answers were not 2xx`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]);
}

async function measureThroughput(bench: Bench, rounds: number, seconds: number): Promise<Row[]> {
  const rates: Record<string, number[]> = Object.fromEntries(bench.arms.map(({ name }) => [name, []]));
  for (const arm of bench.arms) throughput(arm, WARM_SECONDS, 32);
  for (let round = 0; round < rounds; round++) {
    for (const arm of bench.arms) rates[arm.name]!.push(throughput(arm, seconds, 32));
  }
  const of = (name: string): number => median(rates[name] ?? []);
  const ratios = (other: string): number[] => rates.outrider!.map((rate, i) => rate / rates[other]![i]!);
  const loaded = residentMegabytes(bench.sidecar.child.pid!);
  return [
    row(
      'requests/s: direct · relay · outrider · portkey',
      `${['direct', 'relay', 'outrider', 'portkey'].map((name) => of(name).toFixed(0)).join(' · ')}`,
    ),
    row('throughput ÷ bare relay', median(ratios('relay')).toFixed(2), {
      must: '≥ 0.40',
      aim: '≥ 0.60',
      met: median(ratios('relay')) >= 0.4,
    }),
    row('throughput ÷ Portkey', median(ratios('portkey')).toFixed(1), {
      must: '≥ 8',
      aim: '≥ 12',
      met: median(ratios('portkey')) >= 8,
    }),
    row('sidecar memory under load', `${loaded.toFixed(0)} MB`, {
      must: '≤ 180',
      aim: '≤ 140',
      met: loaded <= 180,
    }),
  ];
}

/** One connection per arm, one request at a time, arms in turn: what is added is the difference of neighbours. */
async function measureLatency(bench: Bench, rounds: number): Promise<Row[]> {
  const clients = bench.arms.map((arm) => ({
    arm,
    client: new Client(arm.origin, { pipelining: 1 }),
    times: [] as number[],
  }));
  for (let round = -200; round < rounds; round++) {
    for (const { arm, client, times } of clients) {
      const began = performance.now();
      const answer = await client.request({
        path: arm.path,
        method: 'POST',
        headers: arm.headers,
        body: REQUEST,
      });
      await answer.body.arrayBuffer();
      if (round >= 0) times.push(performance.now() - began);
    }
  }
  await Promise.all(clients.map(({ client }) => client.close()));
  const times = Object.fromEntries(clients.map(({ arm, times: each }) => [arm.name, each]));
  const added = (name: string, p: number): number =>
    percentile(times[name]!, p) - percentile(times.direct!, p);
  const p50 = added('outrider', 50);
  const p99 = added('outrider', 99);
  return [
    row(
      'added latency p50, 1 connection',
      `${p50.toFixed(3)} ms (relay ${added('relay', 50).toFixed(3)}, Portkey ${added('portkey', 50).toFixed(3)})`,
      { must: '≤ 0.35', aim: '≤ 0.20', met: p50 <= 0.35 },
    ),
    row(
      'added latency p99, 1 connection',
      `${p99.toFixed(3)} ms (relay ${added('relay', 99).toFixed(3)}, Portkey ${added('portkey', 99).toFixed(3)})`,
      { must: '≤ 1.5', aim: '≤ 0.8', met: p99 <= 1.5 },
    ),
  ];
}

/** 200 streams at once, spread over a second, per arm in turn: milliseconds to the first byte of the first event. */
async function measureFirstToken(bench: Bench, rounds: number): Promise<Row[]> {
  const body = JSON.stringify({
    model: MODEL,
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 64,
    messages: [{ role: 'user', content: 'hello' }],
  });
  const firsts: Record<string, number[]> = Object.fromEntries(bench.arms.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const arm of bench.arms) {
      const pool = new Pool(arm.origin, { connections: 200, pipelining: 1 });
      const streams = Array.from({ length: 200 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 2));
        const began = performance.now();
        const answer = await pool.request({ path: arm.path, method: 'POST', headers: arm.headers, body });
        let first = Number.NaN;
        for await (const chunk of answer.body) {
          if (Number.isNaN(first) && String(chunk).includes('data:')) first = performance.now() - began;
        }
        return first;
      });
      const times = await Promise.all(streams);
      if (round > 0) firsts[arm.name]!.push(...times);
      await pool.close();
    }
  }
  const added = (name: string): number => median(firsts[name]!) - median(firsts.direct!);
  const portkey = Number.isNaN(added('portkey'))
    ? 'Portkey gave no event'
    : `Portkey ${added('portkey').toFixed(2)}`;
  return [
    row(
      'added time to first token, 200 streams, p50',
      `${added('outrider').toFixed(2)} ms (relay ${added('relay').toFixed(2)}, ${portkey})`,
      { must: '≤ 1', aim: '≤ 0.5', met: added('outrider') <= 1 },
    ),
  ];
}

export async function benchSidecar(quick: boolean): Promise<Row[]> {
  const nginx = await startNginx(LOAD_CPU);
  await untilAnswers(nginx.url);
  const bench = await setUp(nginx.url);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idle = residentMegabytes(bench.sidecar.child.pid!);
  const rows: Row[] = [
    row('sidecar start to ready (with compile cache)', `${bench.sidecar.readyMs.toFixed(0)} ms`, {
      must: '≤ 800',
      aim: '≤ 400',
      met: bench.sidecar.readyMs <= 800,
    }),
    row('sidecar memory idle', `${idle.toFixed(0)} MB`, { must: '≤ 110', aim: '≤ 90', met: idle <= 110 }),
    ...(await measureLatency(bench, quick ? 300 : 2000)),
    ...(await measureThroughput(bench, quick ? 1 : 5, quick ? 2 : 4)),
  ];
  await bench.stop();
  nginx.stop();
  const streamer = await startStreamer();
  const streaming = await setUp(streamer.url);
  rows.push(...(await measureFirstToken(streaming, quick ? 2 : 5)));
  await streaming.stop();
  streamer.stop();
  return rows;
}
