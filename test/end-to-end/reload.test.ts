// A config that changes under a running fleet: taken as a whole, or not at all.

import { readFileSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/processes.ts';
import { type Fleet, startFleet } from './fleet.ts';

let fleet: Fleet;
let first = '';

beforeAll(async () => {
  fleet = await startFleet();
  first = readFileSync(fleet.config, 'utf8');
});
afterAll(() => fleet.stop());

const ask = (model: string): Promise<Response> =>
  fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_completion_tokens: 16, messages: [{ role: 'user', content: 'hi' }] }),
  });

const logged = (event: string) => () =>
  Promise.resolve(
    fleet
      .output()
      .split('\n')
      .filter((line) => line.includes(`"${event}"`)),
  );

/** Writes the file and waits until the process has said what came of it, once more than before. */
async function write(yaml: string, event: string): Promise<readonly string[]> {
  const before = (await logged(event)()).length;
  writeFileSync(fleet.config, yaml);
  fleet.process().child.kill('SIGHUP');
  return until(logged(event), (lines) => lines.length > before);
}

describe('a config changed while running', () => {
  it('holds for the next call, each record naming the policy it was judged by', async () => {
    const refused = await ask('gpt-5-nano');
    expect(refused.status).toBe(403);
    await write(
      first.replace('- llm openai/dollar', '- llm openai/dollar\n      - llm openai/gpt-5-nano'),
      'config.in_force',
    );
    const passed = await ask('gpt-5-nano');
    expect(passed.status).toBe(200);
    const calls = [refused, passed].map((answer) => answer.headers.get('x-outrider-call') ?? '');
    await fleet.actions(calls);
    const digests = await fleet.query<{ policy_digest: string }>(
      `SELECT DISTINCT policy_digest FROM actions WHERE call_id IN ('${calls.join("','")}')`,
    );
    expect(digests).toHaveLength(2);
  });

  it('is kept with its text, for each process, and who put it in force', async () => {
    const policies = await until(
      () =>
        fleet.query<
          Record<string, string>
        >(`SELECT DISTINCT digest, agent_id, agent_instance != '' AS placed, actor, fleet_id, text
          FROM policies WHERE digest IN (SELECT policy_digest FROM actions) ORDER BY in_force_from, agent_id`),
      (rows) => rows.length === 4,
    );
    const second = readFileSync(fleet.config, 'utf8');
    const by = `${userInfo().username}@${hostname()}`;
    const kept = (agent: string, text: string) =>
      expect.objectContaining({ agent_id: agent, actor: by, placed: 1, text });
    const agent = policies.map(({ agent_id }) => agent_id).find((name) => name !== '') ?? '';
    for (const text of [first, second])
      expect(policies).toEqual(expect.arrayContaining([kept('', text), kept(agent, text)]));
  });

  it('lets a call end under the policy it began with', async () => {
    fleet.behave(() => ({ firstByteMs: 1_500 }));
    const before = fleet.provider.requests.length;
    const began = ask('gpt-5-nano');
    await until(
      () => Promise.resolve(fleet.provider.requests.length),
      (requests) => requests > before,
    );
    fleet.behave(() => undefined);
    await write(first, 'config.in_force');
    expect((await ask('gpt-5-nano')).status).toBe(403);
    const answer = await began;
    expect(answer.status).toBe(200);
    const [row] = await fleet.actions([answer.headers.get('x-outrider-call') ?? '']);
    expect(row).toMatchObject({ status: 'success', verdict: 'allow' });
  });

  it('that is wrong leaves the old in force and says every mistake', async () => {
    const wrong = first
      .replace('mode: enforce', 'mode: enfroce')
      .replace('- llm openai/dollar', '- llm openai/gpt-5-nano');
    const rejected = await write(wrong, 'config.rejected');
    expect(rejected.at(-1)).toContain('in_force');
    expect((await logged('config.mistake')()).at(-1)).toContain('enforce');
    expect((await ask('gpt-5-nano')).status).toBe(403);
    expect((await ask('dollar')).status).toBe(200);
  });

  it('that no longer knows the agent of this sidecar is refused', async () => {
    const rejected = await write(first.replace('  scout:', '  other:'), 'config.rejected');
    expect(rejected.at(-1)).toContain('No agent named scout');
    expect((await ask('gpt-5-mini')).status).toBe(200);
    await write(`${first}\n`, 'config.in_force');
  });

  it('changes budgets from the next grant, up as well as down', async () => {
    fleet.behave(() => ({ usage: { input: 10, output: 1 } }));
    const client = new OpenAI({ baseURL: `${fleet.proxy}/openai/v1`, apiKey: 'x', maxRetries: 0 });
    const dollar = () =>
      client.chat.completions
        .create({ model: 'dollar', max_completion_tokens: 1, messages: [{ role: 'user', content: 'hi' }] })
        .then(
          () => 'passed',
          (failure: { code?: string }) => failure.code,
        );
    expect(await dollar()).toBe('passed');
    await write(first.replace('budgets: [$100/month]', 'budgets: [$1/month]'), 'config.in_force');
    await until(dollar, (outcome) => outcome === 'over_budget');
    await write(first, 'config.in_force');
    await until(dollar, (outcome) => outcome === 'passed');
  });

  it('is noticed without a signal, and what needs a restart is said', async () => {
    const before = (await logged('config.needs_restart')()).length;
    writeFileSync(fleet.config, `${first}timezone: Europe/Berlin\n`);
    const lines = await until(logged('config.needs_restart'), (found) => found.length > before);
    expect(lines.at(-1)).toContain('timezone');
  });
});
