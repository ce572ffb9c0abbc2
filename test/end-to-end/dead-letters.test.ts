// Dead letters, whole: a call that may have happened is found, looked at, replayed once and discarded, by the commands a
// person types; one whose sidecar was killed is found too; a storm is a handful; somebody is told.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertList } from '../../contract/alert.ts';
import type { DeadLetter, DeadLetterLine } from '../../contract/dead-letter.ts';
import { control, runOutrider, until } from '../support/processes.ts';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let fleet: Fleet;
let asked: Asked[] = [];
let answer: (response: ServerResponse) => void;
const origin = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    asked.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    answer(response);
  });
});
const hang = (): void => undefined;
const say = (status: number, text: string) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(text);

beforeAll(async () => {
  process.env.OUTRIDER_ALERTS_PACE = '10'; // what must hold for 15 s has held after 1.5
  await new Promise<void>((resolve) => void origin.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  fleet = await startFleet(
    SAMPLE.replace(
      '\ncredentials:',
      `\n  billing: { url: "${url}/api", speaks: http, credential: search, timeout: 1s }\ncredentials:`,
    )
      .replace('    ask:', `      - http POST ${url}/api/**\n    ask:`)
      .replace('\nprices:', '\ncapture: { bodies: full }\nprices:\n  billing: { call: $2 }'),
  );
});
afterAll(async () => {
  await fleet.stop();
  origin.closeAllConnections();
  origin.close();
});

const letters = (...args: string[]) =>
  runOutrider(['dead-letters', ...args, '--collector', fleet.control, '--data', fleet.directory], {
    env: { OUTRIDER_TOKEN: '' },
  });
const listed = (): Promise<DeadLetterLine[]> => control(fleet.control, fleet.directory, '/v1/dead-letters');
const shown = (id: string): Promise<DeadLetter> =>
  control(fleet.control, fleet.directory, `/v1/dead-letters/${id}`);

const post = (path: string, body: unknown, task = 'invoices') =>
  fetch(`${fleet.proxy}/billing${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer of-the-agent',
      'x-outrider-task': task,
    },
    body: JSON.stringify(body),
  });
const posted = async (): Promise<bigint> =>
  BigInt((await fleet.budgets()).find(({ level }) => level === 'agent')!.posted);

test('a tool call that may have happened is inspected, and replayed once when somebody says so', async () => {
  answer = say(200, '{"ok":true}');
  await until(
    () => post('/customers?active=1', { name: 'Ada' }),
    ({ status }) => status === 200, // at a start the ledger may be late
  );
  answer = hang;
  asked = [];
  const lost = await post('/charges?dry=0', { amount: 3 });
  expect([lost.status, lost.headers.get('x-outrider-refusal')]).toEqual([504, 'upstream_timeout']);

  const [line] = await until(listed, (lines) => lines.length === 1);
  expect(line).toMatchObject({
    kind: 'outcome_unknown',
    state: 'open',
    agent: 'scout',
    calls: 1,
    replayable: true,
  });
  expect(line!.id).toBe(lost.headers.get('x-outrider-call'));
  const letter = await until(
    () => shown(line!.id),
    ({ request }) => request !== null,
  );
  expect(letter.request).toMatchObject({
    method: 'POST',
    path: '/billing/api/charges?dry=0',
    body: '{"amount":3}',
  });
  expect(JSON.stringify(letter.request!.headers)).not.toMatch(/of-the-agent|authorization/);
  expect(letter.task_so_far.map(({ target }) => target)).toEqual([expect.stringContaining('/api/customers')]);

  const unsure = await letters('replay', line!.id);
  expect([unsure.code, unsure.stdout]).toEqual([1, '']);
  expect(unsure.stderr).toContain('--even-if-it-may-have-happened');
  expect(asked).toHaveLength(1);

  answer = say(201, '{"charge":"ch_1"}');
  const before = await posted();
  const replayed = await letters('replay', line!.id.slice(0, 8), '--even-if-it-may-have-happened');
  expect([replayed.code, replayed.stderr]).toEqual([0, '']);
  const done = await until(
    () => shown(line!.id),
    ({ state, answer: came }) => state === 'replayed' && came !== null,
  );
  expect(done.result).toMatchObject({ status: 'success', http_status: 201, refusal: '' });
  expect(done.answer).toBe('{"charge":"ch_1"}');
  expect(asked).toHaveLength(2);
  expect([asked[1]!.url, asked[1]!.body, asked[1]!.headers.authorization]).toEqual([
    asked[0]!.url,
    asked[0]!.body,
    undefined,
  ]);
  expect(asked[1]!.headers['x-search-key']).toBe(asked[0]!.headers['x-search-key']);
  await until(posted, (now) => now === before + 2_000_000_000n);

  const [record] = await fleet.actions([done.result!.call_id]);
  expect(record).toMatchObject({
    status: 'success',
    task_id: 'invoices',
    target: expect.stringContaining('/charges'),
  });
  const again = await letters('replay', line!.id, '--even-if-it-may-have-happened');
  expect([again.code, again.stderr]).toEqual([1, `${line!.id} is replayed, no longer open.\n`]);
  expect(asked).toHaveLength(2);
});

test('the same call again and again is one letter, which a client that comes through settles itself', async () => {
  answer = say(503, '{"error":{"message":"closed for the night"}}');
  const tries = 8;
  for (let i = 0; i < tries; i += 1) expect((await post('/orders', { sku: 7 }, 'night')).status).toBe(503);
  const [letter, ...others] = await until(listed, ([first]) => first?.calls === tries);
  expect(others).toEqual([]);
  expect(letter).toMatchObject({
    kind: 'failed',
    http_status: 503,
    message: 'closed for the night',
    task: 'night',
  });
  answer = say(200, '{}');
  expect((await post('/orders', { sku: 7 }, 'night')).status).toBe(200);
  const settled = await until(
    () => shown(letter!.id),
    ({ state }) => state !== 'open',
  );
  expect(settled).toMatchObject({ state: 'recovered', closed_by: 'collector', request: null });
});

test('AUD-04: a call whose sidecar was killed has one record, and is a letter that says so', async () => {
  answer = hang;
  asked = [];
  const lost = post('/refunds', { order: 9 }, 'refunds').catch(() => null);
  await until(
    async () => asked,
    ({ length }) => length === 1,
  );
  await fleet.restart('SIGKILL');
  expect(await lost).toBeNull();
  const [letter] = await until(listed, ({ length }) => length === 1);
  expect(letter).toMatchObject({
    kind: 'outcome_unknown',
    error_type: 'outcome_unknown',
    task: 'refunds',
    replayable: false,
  });
  const sql = `SELECT count() AS records, uniqExact(call_id) AS calls FROM actions WHERE task_id = 'refunds'`;
  const ended = await until(
    () => fleet.query<{ records: number; calls: number }>(sql),
    ([row]) => (row?.records ?? 0) >= asked.length,
  );
  expect(ended).toEqual([{ records: 1, calls: 1 }]);
  expect((await letters()).stdout).toContain(`${letter!.id.slice(0, 12)}  open`);
  const page = await letters('show', letter!.id.slice(0, 6));
  expect(page.stdout).toContain('it may have happened');
  expect(page.stdout).toContain('It cannot be replayed: its sidecar died before it could keep the body.');
  const no = await letters('replay', letter!.id, '--even-if-it-may-have-happened');
  expect([no.code, no.stderr]).toEqual([
    1,
    expect.stringContaining('its sidecar died before it could keep the body'),
  ]);
});

test('its owner is told while it waits; discarded, it is over, and on record', async () => {
  const [letter] = await listed();
  const alerts = async () =>
    (await control<AlertList>(fleet.control, fleet.directory, '/v1/alerts')).active.filter(
      ({ alert }) => alert === 'dead-letter',
    );
  const [told] = await until(alerts, ({ length }) => length > 0);
  expect(told).toMatchObject({ agent: 'scout', key: 'scout/billing', severity: 'warning' });

  const done = await letters('discard', letter!.id, '--reason', 'refunded by hand');
  expect([done.code, done.stdout]).toEqual([0, `${letter!.id.slice(0, 12)} is discarded.\n`]);
  expect(await listed()).toEqual([]);
  expect(await shown(letter!.id)).toMatchObject({ state: 'discarded', reason: 'refunded by hand' });
  const noted = await until(
    () =>
      fleet.query<{ event: string }>(
        "SELECT event FROM control_events WHERE event LIKE 'dead_letter_%' ORDER BY id",
      ),
    ({ length }) => length >= 7,
  );
  expect(noted.map(({ event }) => event.replace('dead_letter_', ''))).toEqual([
    ...['arrived', 'replay_asked', 'replayed'],
    ...['arrived', 'recovered'],
    ...['arrived', 'discarded'],
  ]);
});
