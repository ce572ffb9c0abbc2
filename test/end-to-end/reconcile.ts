// Calls by the thousand through two sidecars while sidecars, the collector and its store process are killed, one after the
// other; then what reached the origin and what is on record are laid side by side, call by call. An origin knows a call by
// the span id that came with it, and so does its record.
//
//   callers ─▶ sidecar ─▶ origin: span ids          actions: span ids, what became of each
//                 └─▶ collector ─▶ store                └──── the same, but for calls killed before they were sent

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent } from 'undici';
import { expect } from 'vitest';
import type { Verified } from '../../contract/audit/verify.ts';
import { freePorts } from '../support/ports.ts';
import {
  rows,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { REAL_KEY, SAMPLE } from './fleet.ts';
import { storeProcessOf } from './kill-round.ts';
import { seeded } from './many-sidecars.ts';

export interface Reconciling {
  /** That reach the origin. */
  readonly requests: number;
  readonly kills: number;
  readonly seed: number;
  told?(line: string): void;
}

export interface Reconciled {
  /** That reached the origin. */
  readonly reached: number;
  readonly recorded: number;
  /** On record as begun, and killed before they reached the origin. */
  readonly unsent: number;
}

const SIDECARS = ['a', 'b'] as const;
const CALLERS = 24;
const ENVIRONMENT = { REAL_KEY, OUTRIDER_TOKEN: '', OUTRIDER_COLLECTOR: '' };
/** After a million calls and the last kill the queue is loaded within. */
const LOADED_MS = 300_000;

export async function reconcile(options: Reconciling): Promise<Reconciled> {
  const { requests, kills, seed, told = () => undefined } = options;
  const random = seeded(seed);
  const origin = await startOrigin();
  const fleet = await startParts(origin.url);
  try {
    const callers = SIDECARS.flatMap((name) =>
      Array.from({ length: CALLERS }, () =>
        callUntil(() => origin.seen.size >= requests, fleet.proxies[name]),
      ),
    );
    for (let kill = 1; kill <= kills; kill += 1) {
      await until(
        async () => origin.seen.size,
        (seen) => seen >= (requests * kill) / (kills + 1),
        3_600_000,
      );
      told(`${origin.seen.size} requests; kill ${kill} of ${kills}: ${await fleet.killOne(random)}`);
    }
    await Promise.all(callers);
    expect(origin.twice, 'no span is sent twice').toEqual([]);
    const compared = await compare(origin.seen, fleet, `seed ${seed}`);
    expect(compared.unsent, 'no more than were under way').toBeLessThanOrEqual(kills * CALLERS);
    told(JSON.stringify({ ...compared, verified: await verifyAll(fleet) }));
    return compared;
  } finally {
    await fleet.stop();
    origin.close();
  }
}

interface Origin {
  readonly url: string;
  /** Span ids, in hex. */
  readonly seen: ReadonlySet<string>;
  readonly twice: readonly string[];
  close(): void;
}

const CHAT = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1_764_000_000, model: 'gpt-5-mini' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
});

async function startOrigin(): Promise<Origin> {
  const seen = new Set<string>();
  const twice: string[] = [];
  const server = createServer((request, response) => {
    const span = String(request.headers.traceparent).split('-')[2] ?? 'none';
    if (seen.has(span)) twice.push(span);
    seen.add(span);
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(request.url!.startsWith('/openai') ? CHAT : '{}');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, seen, twice, close };
}

interface Parts {
  readonly data: string;
  readonly proxies: Readonly<Record<(typeof SIDECARS)[number], string>>;
  sql(): string;
  control(): string;
  /** Says whom. */
  killOne(random: () => number): Promise<string>;
  stop(): Promise<void>;
}

async function startParts(origin: string): Promise<Parts> {
  const [a, b, otlp, control, sql] = await freePorts(5);
  const directory = temporaryDirectory('reconcile');
  const data = join(directory, 'data');
  const yaml = SAMPLE.replaceAll('{provider}', origin)
    .replace(/\$(1000|500|100|50)\b/g, '$$90000000')
    .replace(/^listen:.*$/m, '');
  const configOf = (name: string, proxy: number): string =>
    writeConfig(
      temporaryDirectory(`reconcile-${name}`),
      `${yaml}listen: { proxy: 127.0.0.1:${proxy}, admin: 127.0.0.1:0, otlp: 127.0.0.1:${otlp}, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:${control}, sql: 127.0.0.1:${sql} }\ncollector: http://127.0.0.1:${control}\n`,
    );
  const configs = { a: configOf('a', a!), b: configOf('b', b!) };
  const start = (...args: readonly string[]): Promise<Started> =>
    startOutrider([...args, '--data', data], { ready: 1, env: ENVIRONMENT });
  const startCollector = () => start('collector', '--config', configs.a);
  const startSidecar = (name: (typeof SIDECARS)[number]) =>
    start('sidecar', '--config', configs[name], '--agent', `scout/${name}`);
  let collector = await startCollector();
  const sidecars = { a: await startSidecar('a'), b: await startSidecar('b') };
  return {
    data,
    proxies: { a: `http://127.0.0.1:${a}`, b: `http://127.0.0.1:${b}` },
    sql: () => collector.listen.collector!.sql!,
    control: () => collector.listen.collector!.control!,
    async killOne(random) {
      const victim = (['a', 'b', 'collector', 'store'] as const)[Math.floor(random() * 4)]!;
      if (victim === 'store') process.kill(storeProcessOf(collector.child.pid!), 'SIGKILL');
      else if (victim === 'collector') {
        await collector.kill('SIGKILL');
        collector = await startCollector();
      } else {
        await sidecars[victim].kill('SIGKILL');
        sidecars[victim] = await startSidecar(victim);
      }
      return victim;
    },
    async stop() {
      for (const each of [sidecars.a, sidecars.b, collector]) await each.kill('SIGKILL');
    },
  };
}

const ASKED = JSON.stringify({
  ...{ model: 'gpt-5-mini', max_completion_tokens: 16 },
  messages: [{ role: 'user', content: 'Say hello.' }],
});
const JSON_TYPE = { 'content-type': 'application/json' };

/** Every fourth a model's, the others a search; a dead sidecar is asked again in a moment. */
async function callUntil(isOver: () => boolean, proxy: string): Promise<void> {
  const agent = new Agent({ connections: 1 });
  for (let call = 0; !isOver(); call += 1) {
    const asked =
      call % 4 === 0
        ? { path: '/openai/v1/chat/completions', method: 'POST', headers: JSON_TYPE, body: ASKED }
        : { path: '/search/find?q=hello', method: 'GET' };
    try {
      const { statusCode, body } = await agent.request({ origin: proxy, ...asked });
      await body.dump();
      if (statusCode !== 200) await pause(20);
    } catch {
      await pause(20); // killed: its port refuses, or the answer broke off
    }
  }
  await agent.close();
}

interface Recorded {
  readonly span_id: string;
  readonly verdict: string;
  readonly status: string;
  readonly error_type: string;
}

async function compare(seen: ReadonlySet<string>, { sql }: Parts, context: string): Promise<Reconciled> {
  const SENT = "upstream IN ('openai', 'search') AND status IN ('success', 'failure', 'timeout')";
  await until(
    () =>
      rows<{ found: string }>(sql(), `SELECT toString(count()) AS found FROM actions WHERE ${SENT}`).catch(
        () => [],
      ),
    ([row]) => Number(row?.found) >= seen.size,
    LOADED_MS,
  ).catch(() => undefined); // what lacks is named below
  const recorded = new Set<string>();
  let unsent = 0;
  for (const digit of '0123456789abcdef') {
    const found = await rows<Recorded>(
      sql(),
      `SELECT span_id, verdict, status, error_type FROM actions WHERE ${SENT} AND startsWith(span_id, '${digit}')`,
    );
    for (const { span_id, verdict, status, error_type } of found) {
      if (recorded.has(span_id)) throw new Error(`${context}: two records of span ${span_id}`);
      recorded.add(span_id);
      if (verdict !== 'allow')
        throw new Error(`${context}: span ${span_id} was sent on the verdict ${verdict}`);
      if (seen.has(span_id)) continue;
      unsent += 1;
      const was = `${context}: span ${span_id} never reached the origin, and is on record as ${status} ${error_type}`;
      expect(error_type, was).toBe('outcome_unknown');
    }
  }
  const unaudited = [...seen].filter((span) => !recorded.has(span));
  expect(unaudited, `${context}: reached the origin without a record`).toEqual([]);
  return { reached: seen.size, recorded: recorded.size, unsent };
}

/** The chains and the log of all of it, by `audit export` and `audit verify`. */
async function verifyAll({
  data,
  control,
}: Parts): Promise<Pick<Verified, 'records' | 'leaves' | 'streams'>> {
  const to = join(temporaryDirectory('reconciled'), 'export');
  const exported = await runOutrider(['audit', 'export', to, '--data', data, '--collector', control()], {
    env: ENVIRONMENT,
  });
  expect([exported.code, exported.stderr]).toEqual([0, '']);
  const key = join(data, 'collector', 'audit', 'vkey');
  const { code, stdout } = await runOutrider(['audit', 'verify', to, '--key', key, '--json'], {
    env: ENVIRONMENT,
  });
  const { findings, records, leaves, streams, unlogged } = JSON.parse(stdout) as Verified;
  expect([findings, code, unlogged]).toEqual([[], 0, 0]);
  return { records, leaves, streams };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
