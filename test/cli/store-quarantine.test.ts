// `outrider store quarantine` as it is typed: what it asks, what it prints, and how it ends; on a collector that answers from
// a list.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UsageError } from '../../cli/command.ts';
import { run } from '../../cli/store.ts';
import { SET_ASIDE_LISTED_MAX, type SetAsideLine } from '../../contract/set-aside.ts';

const LINE: SetAsideLine = {
  id: '42-ab',
  kind: 'message',
  signal: 'traces',
  bytes: 260,
  sender: 'scout/h1',
  received_at: 'R',
  set_aside_at: 'S',
  reason: 'cannot parse',
  comes_as: null,
};
const DAMAGE: SetAsideLine = { ...LINE, id: '41-ab-17', kind: 'damage', sender: null, received_at: null };

/** Each list is answered once, the last one from then on. */
let lists: SetAsideLine[][];
let asked: string[];
const collector = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    const isList = request.method === 'GET';
    if (!isList) asked.push(`${request.url} ${body}`);
    const lines = lists.length > 1 ? lists.shift() : lists[0];
    const answer = isList ? lines : { waiting: [{ id: '42-ab', comes_as: '42-ab.0' }] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});
beforeEach(() => {
  asked = [];
});

async function typed(...args: string[]): Promise<{ code: number; out: string }> {
  const { code, out } = await said(['quarantine', ...args]);
  return { code, out };
}

async function said(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    env: { OUTRIDER_TOKEN: 'ort_x', OUTRIDER_COLLECTOR: url },
  };
  return { code: await run(args, io), out: out.join(''), err: err.join('') };
}

test('list says what, whose and why', async () => {
  lists = [[DAMAGE, LINE]];
  expect((await typed()).out.split('\n').slice(1, 3)).toEqual([
    '41-ab-17  damage   traces  260                        S          cannot parse',
    '42-ab     message  traces  260    scout/h1  R         S          cannot parse',
  ]);
  expect(JSON.parse((await typed('list', '--json')).out)).toEqual([DAMAGE, LINE]);
  lists = [[]];
  expect(await typed('list')).toEqual({ code: 0, out: 'Nothing is set aside.\n' });
});

test('load all asks for every message, and says so once they are in the store', async () => {
  lists = [[DAMAGE, LINE], [DAMAGE, { ...LINE, comes_as: '42-ab.0' }], [DAMAGE]];
  expect(await typed('load', 'all')).toEqual({ code: 0, out: 'Loaded 1 message.\n' });
  expect(asked).toEqual(['/v1/store/quarantine/load {"ids":["42-ab"]}']);
});

test('a list that is full says that more may lie behind it', async () => {
  lists = [[DAMAGE, LINE]];
  expect((await said(['quarantine'])).err).toBe('');
  lists = [Array.from({ length: SET_ASIDE_LISTED_MAX }, () => LINE)];
  expect((await said(['quarantine', '--json'])).err).toMatch(/^These are the oldest 1000: /);
});

test('load says what was refused again, and fails', async () => {
  lists = [[{ ...LINE, id: '42-ab.0', reason: 'still not' }]];
  expect(await typed('load', '42-ab')).toEqual({
    code: 1,
    out: 'Loaded 0 messages.\n42-ab.0 was refused again: still not\n',
  });
});

test.each([
  ['load', 'Say which'],
  ['lift', 'agents are held apart by `outrider quarantine`'],
  ['list more', 'one word too many'],
  ['list --agent a', '--agent means nothing'],
])('%s is no command', async (line, sentence) => {
  await expect(typed(...line.split(' '))).rejects.toThrow(UsageError);
  await expect(typed(...line.split(' '))).rejects.toThrow(sentence);
});

test.each(['constructor', 'toString', 'empty'])('%s is no action of store', async (name) => {
  await expect(said([name])).rejects.toThrow(UsageError);
});
