// A disk that is really full, to the last byte, under load: a tmpfs of its own that a ballast file fills and leaves again, with
// the collector killed in between. Nothing acknowledged may be lost, of records nor of control state, and what is refused is
// refused as docs/otlp.md says. SOAK_ROUNDS (4) times; needs root, for it mounts.

import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyChain } from '../../contract/audit-entry.ts';
import { createSidecar } from '../collector/queue/chained-records.ts';
import { requestOf, spanIdOf } from '../collector/receive/otlp-messages.ts';
import {
  control,
  order,
  rows,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 4);
const FULL_MS = Number(process.env.SOAK_FULL_MS ?? 20_000);
const DISK_MB = 1_100;
const PER_REQUEST = 5;
const CHUNK = Buffer.alloc(1024 ** 2);
const PAGE = Buffer.alloc(4096);

const outside = temporaryDirectory('outrider-full-disk');
const disk = temporaryDirectory('outrider-full-disk-mounted');
const data = join(disk, 'data');
const ballast = join(disk, 'ballast');
const config = writeConfig(
  outside,
  `fleet: full
agents: { agent-*: { role: any } }
roles: { any: { allow: [] } }
listen: { otlp: 127.0.0.1:0, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`,
);

let collector: Started;
/** Each sends again what was not answered, until it ends. */
const sidecars = Array.from({ length: 3 }, (_, number) => createSidecar(number, PER_REQUEST));
const agents = { next: 0, unanswered: [] as number[], acknowledged: 0 };
const tokens: string[] = [];
const answers = new Map<string, number>();
let isOver = false;

beforeAll(async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk]);
  collector = await start();
});
afterAll(async () => {
  await collector.kill('SIGKILL');
  execFileSync('umount', ['--lazy', disk]);
  for (const directory of [outside, disk]) rmSync(directory, { recursive: true, force: true });
});

const start = (): Promise<Started> =>
  startOutrider(['collector', '--config', config, '--data', data], { ready: 1 });
const at = (door: string): string => collector.listen.collector![door]!;

/** The status; 0 where nobody answered. */
async function send(body: Buffer, bearer: string | null): Promise<number> {
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
  };
  try {
    const answer = await fetch(`${at('otlp')}/v1/traces`, { method: 'POST', body, headers });
    await answer.arrayBuffer();
    if (answer.status === 503) expect(answer.headers.get('retry-after')).not.toBeNull();
    note(bearer === null ? 'anyone' : 'known', answer.status);
    return answer.status;
  } catch (failure) {
    if (!(failure instanceof TypeError)) throw failure;
    return 0; // killed
  }
}

function note(who: string, status: number): void {
  answers.set(`${who} ${status}`, (answers.get(`${who} ${status}`) ?? 0) + 1);
}

const breath = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

async function sendAsAgent(): Promise<void> {
  while (!isOver) {
    const number = agents.unanswered.pop() ?? agents.next++;
    const spans = Array.from({ length: PER_REQUEST }, (_, index) => ({
      spanId: spanIdOf(number * PER_REQUEST + index),
    }));
    if ((await send(requestOf(spans), null)) === 200) agents.acknowledged += 1;
    else agents.unanswered.push(number);
    await breath(10);
  }
}

async function sendAsSidecar(sidecar: (typeof sidecars)[number]): Promise<void> {
  const bearer = readFileSync(join(data, 'token'), 'utf8').trim();
  while (!isOver) {
    if ((await send(sidecar.request(), bearer)) === 200) sidecar.acknowledged();
    await breath(10);
  }
}

/** Control state, which lies on the same disk. */
async function makeTokens(): Promise<void> {
  for (let number = 0; !isOver; number += 1) {
    const made = order(at('control'), data, '/v1/tokens', { name: `t-${number}`, kind: 'reader' });
    await made.then(
      () => tokens.push(`t-${number}`),
      (failure: Error) => note('tokens', Number(/: (\d{3}) /.exec(failure.message)?.[1] ?? 0)),
    );
    await breath(200);
  }
}

/** To the last byte, and what is given back meanwhile too. */
async function fillFor(ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    for (const piece of [CHUNK, PAGE]) fillWith(piece);
    await breath(20);
  }
}

function fillWith(piece: Buffer): void {
  try {
    for (;;) appendFileSync(ballast, piece);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOSPC') throw failure;
  }
}

async function readiness(): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${at('control')}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

it(`COL-08: after ${ROUNDS} times without a byte left all that was acknowledged is there once`, async () => {
  const sending = [sendAsAgent(), sendAsAgent(), ...sidecars.map(sendAsSidecar), makeTokens()];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = agents.acknowledged;
    await until(
      async () => agents.acknowledged,
      (count) => count > before + 50,
    );
    const filling = fillFor(FULL_MS);
    const { text } = await until(readiness, (ready) => ready.status === 503 && ready.text.includes('queue'));
    if (round % 2 === 1) await collector.kill('SIGKILL');
    await filling;
    console.log(`round ${round}: ${text}`, Object.fromEntries(answers));
    writeFileSync(ballast, '');
    if (round % 2 === 1) collector = await start();
    await until(readiness, ({ status }) => status === 200, 120_000);
  }
  isOver = true;
  await Promise.all(sending);
  const refused = new Set(['anyone 503', 'known 503', 'tokens 503', 'tokens 0']); // 0 while it is killed
  const taken = new Set(['anyone 200', 'known 200']);
  expect(new Set(answers.keys())).toEqual(taken.union(refused));
  await expectAllOnce();
});

async function expectAllOnce(): Promise<void> {
  const whole = agents.acknowledged * PER_REQUEST;
  const [spans] = await until(
    () =>
      rows<{ rows: number; ids: number }>(
        at('sql'),
        "SELECT count() AS rows, uniqExact(SpanId) AS ids FROM otel_traces WHERE ScopeName = ''",
      ),
    ([found]) => found!.ids >= whole,
    180_000,
  );
  expect(spans).toEqual({ rows: whole, ids: whole });
  for (const { stream, records } of sidecars) {
    const links = await rows<{ entry: string; hash: string }>(
      at('sql'),
      `SELECT audit_entry AS entry, audit_hash AS hash FROM actions WHERE audit_stream = '${stream}' ORDER BY audit_seq`,
    );
    expect(links.length, stream).toBe(records());
    expect(verifyChain(links), stream).toBeNull();
  }
  const kept = await control<{ name: string }[]>(at('control'), data, '/v1/tokens');
  expect(kept.map(({ name }) => name)).toEqual(expect.arrayContaining(tokens));
  const to = join(outside, 'export');
  const exported = await runOutrider(['audit', 'export', to, '--collector', at('control'), '--data', data]);
  expect(exported.code, exported.stderr).toBe(0);
  const verified = await runOutrider(['audit', 'verify', to, '--key', join(data, 'collector/audit/vkey')]);
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);
}
