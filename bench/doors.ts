// What a call pays for having its TLS looked into, beside the same call made directly, in turn. Load and upstream have
// one core, the sidecar the other.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import { makeServerCertificate } from '../test/sdk/certificate.ts';
import { runOutrider } from '../test/support/processes.ts';
import { median, percentile, type Running, residentMegabytes, startNode } from './processes.ts';
import { type Row, row } from './report.ts';
import { ANSWER, MODEL, REQUEST, streamTokens } from './upstream.ts';

const LOAD_CPU = 0;
const PROXY_CPU = 1;
const WARM_CALLS = 200;
const KEEP_ALIVE_MS = 60_000;
const CLI = process.env.BENCH_CLI ?? new URL('../bin/outrider.js', import.meta.url).pathname;
const STREAMED = JSON.stringify({
  model: MODEL,
  stream: true,
  stream_options: { include_usage: true },
  max_completion_tokens: 64,
  messages: [{ role: 'user', content: 'hello' }],
});

interface Upstream {
  readonly url: string;
  readonly authorityPem: string;
}

interface Way {
  readonly url: string;
  readonly dispatcher: Dispatcher;
}

function serve(incoming: IncomingMessage, response: ServerResponse): void {
  incoming.resume();
  incoming.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER));
}

const isStream = ({ url }: IncomingMessage): boolean => url!.startsWith('/streams/');

async function startUpstream(): Promise<Upstream> {
  const { certificatePem, keyPem, authorityPem } = await makeServerCertificate();
  const server = createServer({ cert: certificatePem, key: keyPem }, (incoming, response) =>
    isStream(incoming) ? streamTokens(incoming, response) : serve(incoming, response),
  );
  // a connection that one way must open anew and the other not would be measured as the other's speed
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, authorityPem };
}

const configOf = ({ url }: Upstream, collector: string): string => `fleet: bench
mode: enforce
budgets: [$900000/month]
upstreams:
  openai: { url: "${url}/whole", speaks: openai, credential: openai, priced_as: openai }
  streams: { url: "${url}/streams", speaks: openai, credential: openai, priced_as: openai }
credentials: { openai: { from: env:BENCH_KEY } }
roles:
  researcher:
    allow: [llm openai/${MODEL}, llm streams/${MODEL}]
agents: { scout: { role: researcher, budgets: [$900000/month] } }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: ${new URL(collector).host} }
collector: ${collector}
`;

async function startSidecar(
  upstream: Upstream,
  collector: string,
): Promise<{ running: Running; data: string }> {
  const data = mkdtempSync(join(tmpdir(), 'outrider-bench-doors-'));
  const config = join(data, 'outrider.yaml');
  const authority = join(data, 'upstream.pem');
  writeFileSync(config, configOf(upstream, collector));
  writeFileSync(authority, upstream.authorityPem);
  const env = { BENCH_KEY: 'sk-bench', NODE_EXTRA_CA_CERTS: authority };
  const args = [
    '--max-semi-space-size=4',
    CLI,
    'sidecar',
    '--config',
    config,
    '--data',
    data,
    '--agent',
    'scout',
  ];
  return { running: await startNode(args, { cpu: PROXY_CPU, env }), data };
}

/** Milliseconds of one call to its last byte. */
async function timed({ url, dispatcher }: Way, body: string): Promise<number> {
  const began = performance.now();
  const answer = await request(url, { dispatcher, method: 'POST', headers: HEADERS, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${text.slice(0, 300)}`);
  return performance.now() - began;
}

const HEADERS = { 'content-type': 'application/json' };

/** By turns, so that both meet the same machine: what the second way adds at each percentile. */
async function added(direct: Way, through: Way, body: string, calls: number): Promise<(p: number) => number> {
  const times: [number[], number[]] = [[], []];
  for (let call = -WARM_CALLS; call < calls; call++) {
    const pair = [await timed(direct, body), await timed(through, body)] as const;
    if (call >= 0) pair.forEach((time, way) => void times[way]!.push(time));
  }
  return (p) => percentile(times[1], p) - percentile(times[0], p);
}

/** 200 streams at once: milliseconds to the first event of each. */
async function firstTokens({ url, dispatcher }: Way): Promise<number[]> {
  const streams = Array.from({ length: 200 }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 2));
    const began = performance.now();
    const answer = await request(url, { dispatcher, method: 'POST', headers: HEADERS, body: STREAMED });
    let first = Number.NaN;
    for await (const chunk of answer.body)
      if (Number.isNaN(first) && String(chunk).includes('data:')) first = performance.now() - began;
    return first;
  });
  return Promise.all(streams);
}

export async function benchDoors(quick: boolean): Promise<Row[]> {
  const upstream = await startUpstream();
  const sink = await startNode([new URL('./arms/sink.ts', import.meta.url).pathname], { cpu: LOAD_CPU });
  const { running, data } = await startSidecar(upstream, String(sink.ready[0]!.url));
  const { proxy } = running.ready[0]!.listen as { proxy: string };
  const { code, stderr } = await runOutrider(['ca', '--data', data]);
  if (code !== 0) throw new Error(stderr);
  const ca = readFileSync(join(data, 'ca', 'ca.pem'), 'utf8');
  const direct = new Agent({ keepAliveTimeout: KEEP_ALIVE_MS, connect: { ca: upstream.authorityPem } });
  const intercepted = new ProxyAgent({
    keepAliveTimeout: KEEP_ALIVE_MS,
    uri: proxy,
    proxyTunnel: true,
    requestTls: { ca },
  });

  const whole = `${upstream.url}/whole/v1/chat/completions`;
  const calls = quick ? 300 : 3_000;
  const tls = await added(
    { url: whole, dispatcher: direct },
    { url: whole, dispatcher: intercepted },
    REQUEST,
    calls,
  );
  const streams = `${upstream.url}/streams/v1/chat/completions`;
  const firsts: [number[], number[]] = [[], []];
  for (let round = 0; round < (quick ? 2 : 5); round++) {
    for (const [way, dispatcher] of [direct, intercepted].entries()) {
      const times = await firstTokens({ url: streams, dispatcher });
      if (round > 0) firsts[way]!.push(...times);
    }
  }
  const token = median(firsts[1]) - median(firsts[0]);
  const memory = residentMegabytes(running.child.pid!);
  await Promise.all([direct.destroy(), intercepted.destroy(), running.stop(), sink.stop()]);
  return [
    row('intercepted TLS, added latency p50, 1 connection', `${tls(50).toFixed(3)} ms`, {
      must: '≤ 0.35',
      aim: '≤ 0.20',
      met: tls(50) <= 0.35,
    }),
    row('intercepted TLS, added latency p99, 1 connection', `${tls(99).toFixed(3)} ms`, {
      must: '≤ 1.5',
      aim: '≤ 0.8',
      met: tls(99) <= 1.5,
    }),
    row('intercepted TLS, added time to first token, 200 streams, p50', `${token.toFixed(2)} ms`, {
      must: '≤ 1',
      aim: '≤ 0.5',
      met: token <= 1,
    }),
    row('sidecar memory, 200 streams intercepted', `${memory.toFixed(0)} MB`, {
      must: '≤ 180',
      aim: '≤ 140',
      met: memory <= 180,
    }),
  ];
}
