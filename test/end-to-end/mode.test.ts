// `outrider mode` on a running fleet: a refused call passes while its agent observes, and is refused again after.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOutrider, until } from '../support/processes.ts';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(SAMPLE.replace('\nbudgets:', '\nprohibited: [llm openai/gpt-5-nano]\nbudgets:'));
});
afterAll(() => fleet.stop());

const mode = (...args: string[]) =>
  runOutrider(['mode', ...args, '--collector', fleet.control, '--data', fleet.directory], {
    env: { OUTRIDER_TOKEN: '' },
  });

async function call(model = 'gpt-5.4'): Promise<{ status: number; id: string; verdict: string | null }> {
  const answer = await fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  });
  await answer.arrayBuffer();
  const { headers, status } = answer;
  return { status, id: headers.get('x-outrider-call')!, verdict: headers.get('x-outrider-verdict') };
}

const reaches = (status: number) => until(call, (answer) => answer.status === status);

test('observing for a while lets pass what no rule allows, on record as such', async () => {
  const refused = await call();
  expect(refused.status).toBe(403);

  const set = await mode('observe', '--agent', 'scout', '--for', '1h', '--reason', 'a new model');
  expect([set.code, set.stderr]).toEqual([0, '']);
  expect(set.stdout).toMatch(/^scout is in mode observe until \S+Z; the config says enforce\.\n$/);
  const passed = await reaches(200);
  expect((await call('gpt-5-nano')).status).toBe(403);
  expect((await mode()).stdout).toMatch(/^scout +observe +enforce +\S+Z +\S+ +a new model$/m);

  const restored = await mode('restore', '--agent', 'scout');
  expect(restored).toMatchObject({ code: 0, stdout: 'scout is in the mode its config says.\n' });
  const again = await reaches(403);
  expect((await mode()).stdout).toBe('Every agent is in the mode its config says.\n');

  await fleet.actions([refused.id, passed.id, again.id]);
  const recorded = await fleet.query<Record<string, string>>(
    `SELECT mode, verdict, would_verdict, status FROM actions
     WHERE call_id IN ('${refused.id}', '${passed.id}', '${again.id}') ORDER BY timestamp`,
  );
  expect(recorded).toEqual([
    { mode: 'enforce', verdict: 'deny', would_verdict: 'deny', status: 'refused' },
    { mode: 'observe', verdict: 'allow', would_verdict: 'deny', status: 'success' },
    { mode: 'enforce', verdict: 'deny', would_verdict: 'deny', status: 'refused' },
  ]);
});

test('observing ends by itself', async () => {
  expect((await mode('observe', '--agent', 'scout', '--for', '8s', '--reason', 'briefly')).code).toBe(0);
  await reaches(200);
  await reaches(403);
});

test('a sidecar that starts while its agent observes learns it, and the list of agents says so', async () => {
  expect((await mode('observe', '--agent', 'scout', '--for', '1h', '--reason', 'why')).code).toBe(0);
  await fleet.restart();
  await reaches(200);
  const agents = await until(
    () => fleet.agents(),
    ([agent]) => agent?.mode === 'observe',
  );
  expect(agents).toMatchObject([{ name: 'scout', mode: 'observe' }]);
  expect((await mode('restore', '--agent', 'scout')).code).toBe(0);
  await reaches(403);
});

test.each([
  [['observe', '--agent', 'scout', '--reason', 'why'], 2, '--for TIME'],
  [['observe', '--agent', 'scout', '--for', '1h'], 2, '--reason TEXT'],
  [['observe', '--for', '1h', '--reason', 'why'], 2, '--agent NAME'],
  [['observe', '--agent', 'scout', '--for', 'long', '--reason', 'why'], 2, 'write a duration'],
  [['observe', '--agent', 'scout', '--for', '2d', '--reason', 'why'], 1, 'at most 24 h'],
  [['observe', '--agent', 'scuot', '--for', '1h', '--reason', 'why'], 1, 'No agent is called scuot'],
  [['restore', '--agent', 'scout'], 1, 'is in the mode its config says'],
  [['off'], 2, 'outrider mode observe|enforce'],
])('%j', async (args, code, sentence) => {
  const answer = await mode(...args);
  expect([answer.code, answer.stdout]).toEqual([code, '']);
  expect(answer.stderr).toContain(sentence);
  expect(answer.stderr.trim().split('\n')).toHaveLength(1);
});
