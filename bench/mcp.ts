// What a tool's call pays for passing the sidecar: direct and through it in turn, one connection each, everything on
// (rules with a condition on the arguments, a price per call, journal, spans).

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { percentile, startNode } from './processes.ts';
import { type Row, row } from './report.ts';

const LOAD_CPU = 0;
const PROXY_CPU = 1;
const WARM_ROUNDS = 500;
const CLI = process.env.BENCH_CLI ?? new URL('../bin/outrider.js', import.meta.url).pathname;
const arm = (name: string): string => new URL(`./arms/${name}.ts`, import.meta.url).pathname;

const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'read_file',
    arguments: { path: '/drafts/report.md', lines: 'Summarise the state. '.repeat(40) },
  },
});

const configFor = (server: string, collector: string): string => `fleet: bench
mode: enforce
budgets: [$900000/month]
upstreams: { files: { url: "${server}/mcp", speaks: mcp } }
roles:
  reader:
    allow: ['mcp files/read_* when path_within(args.path, "/drafts")']
    deny: [mcp files/delete_*]
agents: { scout: { role: reader } }
prices: { files: { call: $0.001 } }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: ${new URL(collector).host} }
collector: ${collector}
`;

export async function benchMcp(quick: boolean): Promise<Row[]> {
  const sink = await startNode([arm('sink')], { cpu: LOAD_CPU });
  const tools = await startNode([arm('tools')], { cpu: LOAD_CPU });
  const directory = mkdtempSync(join(tmpdir(), 'outrider-bench-'));
  const config = join(directory, 'outrider.yaml');
  const server = String(tools.ready[0]!.url);
  writeFileSync(config, configFor(server, String(sink.ready[0]!.url)));
  const args = [CLI, 'sidecar', '--config', config, '--data', directory, '--agent', 'scout'];
  const sidecar = await startNode(args, { cpu: PROXY_CPU });
  const { proxy } = sidecar.ready[0]!.listen as { proxy: string };
  const direct = { client: new Client(server), path: '/mcp', times: [] as number[] };
  const through = { client: new Client(proxy), path: '/files', times: [] as number[] };
  for (let round = -WARM_ROUNDS; round < (quick ? 1_000 : 10_000); round++) {
    for (const { client, path, times } of [direct, through]) {
      const took = await timed(client, path);
      if (round >= 0) times.push(took);
    }
  }
  await Promise.all([direct.client.close(), through.client.close()]);
  await Promise.all([sidecar.stop(), tools.stop(), sink.stop()]);
  const added = (p: number): number => percentile(through.times, p) - percentile(direct.times, p);
  return [
    row('MCP tools/call added p50', `${added(50).toFixed(3)} ms`, {
      must: '≤ 0.5',
      aim: '',
      met: added(50) <= 0.5,
    }),
    row('MCP tools/call added p99', `${added(99).toFixed(3)} ms`),
  ];
}

/** Milliseconds. Throws where the call was refused: then nothing was measured. */
async function timed(client: Client, path: string): Promise<number> {
  const began = performance.now();
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const answer = await client.request({ path, method: 'POST', headers, body: CALL });
  const text = await answer.body.text();
  const took = performance.now() - began;
  if (answer.statusCode !== 200 || text.includes('"isError"')) throw new Error(`not measured: ${text}`);
  return took;
}
