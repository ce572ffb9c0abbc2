// `outrider dead-letters` as it is typed: what it asks, what it prints, and what it says of a mistake; on a collector that
// answers from a list.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UsageError } from '../../cli/command.ts';
import { run } from '../../cli/dead-letters.ts';
import type { DeadLetter, DeadLetterLine } from '../../contract/dead-letter.ts';

const LINE: DeadLetterLine = {
  ...{
    id: '3f9a1c'.padEnd(32, '0'),
    agent: 'scout',
    task: 't',
    upstream: 'billing',
    target: 'http POST billing/charges',
  },
  ...{ kind: 'outcome_unknown', state: 'open', since: 'S', last_seen: 'L', calls: 3, folded: 2 },
  ...{ error_type: 'upstream_timeout', http_status: 504, message: '', replayable: true },
};
const LETTER: DeadLetter = {
  ...LINE,
  ...{
    instance: 'host',
    owner: 'leads',
    department: '',
    method: 'POST',
    path: '/charges',
    operation: '',
    model: '',
  },
  ...{
    refusal: 'upstream_timeout',
    upstream_status: 0,
    trace_id: 'a',
    span_id: 'b',
    body_digest: 'c'.repeat(64),
  },
  request: { method: 'POST', path: '/billing/charges', headers: [], body: '{"amount":3}' },
  ...{ not_kept: '', answer: null, attempts: [], replays: 0, replay_asked_by: '', result: null },
  ...{ closed_at: null, closed_by: '', reason: '' },
  task_so_far: [
    { call_id: 'e', at: 'T', target: 'http POST billing/customers', action: 'api_call', cost_usd: '0.5' },
  ],
};

let asked: string[];
let answers: Record<string, [status: number, body: unknown]>;
const collector = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    asked.push(`${request.method} ${request.url}${body && ` ${body}`}`);
    const [status, answer] = answers[`${request.method} ${request.url}`] ?? [200, {}];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
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
  [asked, answers] = [[], {}];
});

async function typed(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    env: { OUTRIDER_TOKEN: 'ort_x', OUTRIDER_COLLECTOR: url },
  };
  return { code: await run(args, io), out: out.join(''), err: err.join('') };
}

test('list says which, why and whether it can be replayed', async () => {
  answers['GET /v1/dead-letters?agent=scout&state=all'] = [200, [LINE]];
  const { out } = await typed('list', '--agent', 'scout', '--state', 'all');
  expect(out.split('\n')[1]).toBe(
    '3f9a1c000000  open   outcome_unknown  scout  http POST billing/charges  3 (+2)  L          504 upstream_timeout  possible',
  );
  answers['GET /v1/dead-letters?'] = [200, []];
  expect((await typed()).out).toBe('No dead letter is open.\n');
});

test('show says what it was, what exists of its task, and the next command', async () => {
  answers['GET /v1/dead-letters/3f9a1c'] = [200, LETTER];
  const { out } = await typed('show', '3f9a1c');
  expect(out).toContain('it may have happened');
  expect(out).toContain('{"amount":3}');
  expect(out).toContain('What exists of task t:\nT  e  http POST billing/customers  $0.5');
  expect(out).toContain('Next: outrider dead-letters replay 3f9a1c000000 --even-if-it-may-have-happened');
});

test('replay asks for each; one that can’t be does not keep the others', async () => {
  answers['POST /v1/dead-letters/aaaaaa/replay'] = [
    409,
    { error: { code: 'not_open', message: 'aaaaaa is replayed.' } },
  ];
  answers['POST /v1/dead-letters/bbbbbb/replay'] = [200, { id: 'bbbbbb', until: 'U', live: 0 }];
  const { code, out, err } = await typed('replay', 'aaaaaa', 'bbbbbb');
  expect([code, err]).toEqual([1, 'aaaaaa is replayed.\n']);
  expect(out).toBe('bbbbbb waits for a sidecar of its agent, for none lives now; until U.\n');
  expect(asked[1]).toBe('POST /v1/dead-letters/bbbbbb/replay {"even_if_it_may_have_happened":false}');
});

test('replay --all takes the open ones that the flags leave', async () => {
  answers['GET /v1/dead-letters?agent=scout&upstream=billing&state=open'] = [200, [LINE]];
  answers[`POST /v1/dead-letters/${LINE.id}/replay`] = [200, { id: LINE.id, until: 'U', live: 1 }];
  const flags = ['--agent', 'scout', '--upstream', 'billing', '--even-if-it-may-have-happened'];
  const { code, out } = await typed('replay', '--all', ...flags);
  expect([code, out]).toEqual([0, expect.stringContaining('3f9a1c000000 is replayed now')]);
});

test('discard says why', async () => {
  const { code } = await typed('discard', 'aaaaaa', '--reason', 'by hand');
  expect([code, asked]).toEqual([0, ['POST /v1/dead-letters/aaaaaa/discard {"reason":"by hand"}']]);
});

test.each([
  [['show'], 'show ID'],
  [['show', 'a', 'b'], 'show ID'],
  [['replay'], 'or say --all'],
  [['replay', 'aaaaaa', '--all'], 'or say --all'],
  [['discard', 'aaaaaa'], '--reason TEXT'],
  [['list', 'all'], 'one word too many'],
  [['list', '--state', 'lost'], '--state is one of'],
  [['bury'], 'outrider dead-letters list|show|replay|discard'],
])('%j is a mistake', async (args, sentence) => {
  const failure = await typed(...args).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(failure).toBeInstanceOf(UsageError);
  expect((failure as Error).message).toContain(sentence);
  expect(asked).toEqual([]);
});
