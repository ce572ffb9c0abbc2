// Stock frameworks pointed at the sidecar as their documentation says: a call, a stream, a tool call, and what the person
// in front of each refusal reads. docs/clients.md quotes these lines.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fleet } from '../end-to-end/fleet.ts';
import { runProgram } from '../support/processes.ts';
import { clientVariables, startSetting } from './setting.ts';

const ANSWER = 'This is a practice answer. No model was asked and nothing was billed.';
const NO_RULE =
  "was refused: no rule allows it. Ask the owner to add an allow rule to the agent's role; `outrider policy explain` shows what was judged.";
const ASK =
  'A human must approve this first; go on with other work and retry the same call once it is approved.';
const OVER =
  /402 .*The budget of agent scout is \$100\.00 per month: \$0\.\d+ is spent, .*`outrider budgets` shows it\./;

let fleet: Fleet;

beforeAll(async () => {
  fleet = await startSetting({ toolCalls: [{ name: 'weather', arguments: '{"city":"Paris"}' }] });
});
afterAll(async () => void (await fleet.stop()));

async function linesOf(program: string): Promise<ReadonlyMap<string, string>> {
  const path = new URL(`programs/${program}.ts`, import.meta.url).pathname;
  const { code, stdout, stderr } = await runProgram(process.execPath, [path], {
    ...process.env,
    ...clientVariables(fleet),
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trim().split('\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
}

/** Calls of models that got no answer from us were never sent on. */
const sentOn = (model: string): number =>
  fleet.provider.requests.filter(({ body }) => body.includes(`"${model}"`)).length;

describe('@openai/agents', () => {
  it('calls, streams, runs a tool, and shows each refusal as the SDK’s own error', async () => {
    const said = await linesOf('openai-agents');
    for (const what of ['call', 'stream', 'tool', 'chat completions']) expect(said.get(what)).toBe(ANSWER);
    expect(said.get('out_of_scope')).toBe(`PermissionDeniedError: 403 openai/gpt-4.1 ${NO_RULE}`);
    expect(said.get('approval_needed')).toBe(
      `PermissionDeniedError: 403 openai/gpt-5-pro was refused: the rule "llm openai/gpt-5-pro" says ask. ${ASK}`,
    );
    expect(said.get('over_budget')).toMatch(OVER);
    expect([sentOn('gpt-4.1'), sentOn('gpt-5-pro'), sentOn('dollars')]).toEqual([0, 0, 0]);
    expect(fleet.provider.requests.some(({ body }) => body.includes('It is sunny in Paris.'))).toBe(true);
  });
});

describe('LangChain', () => {
  it('calls, streams, is asked for a tool, and throws each refusal at once', async () => {
    const said = await linesOf('langchain');
    for (const dialect of ['openai', 'anthropic']) {
      for (const what of ['call', 'stream']) expect(said.get(`${dialect} ${what}`)).toBe(ANSWER);
      expect(JSON.parse(said.get(`${dialect} tool`)!)).toMatchObject([
        { name: 'weather', args: { city: 'Paris' } },
      ]);
      expect(said.get(`${dialect} over_budget`)).toMatch(/^APIError: 402/);
      expect(said.get(`${dialect} over_budget`)).toMatch(OVER);
      expect(said.get(`${dialect} approval_needed`)).toContain(ASK);
    }
    expect(said.get('openai out_of_scope')).toBe(`PermissionDeniedError: 403 openai/gpt-4.1 ${NO_RULE}`);
    expect(said.get('anthropic out_of_scope')).toMatch(/^BadRequestError: 400 \{.*"code":"out_of_scope"/);
    expect(said.get('anthropic out_of_scope')).toContain(`anthropic/claude-opus-4-8 ${NO_RULE}`);
  });
});

describe('the record', () => {
  it('has each refusal of both programs once: nobody tried again', async () => {
    const refused = () =>
      fleet.query(
        `SELECT refusal, toString(count()) AS calls FROM actions WHERE refusal != '' GROUP BY refusal ORDER BY refusal`,
      );
    await expect.poll(refused).toEqual([
      { refusal: 'approval_needed', calls: '3' },
      { refusal: 'out_of_scope', calls: '3' },
      { refusal: 'over_budget', calls: '3' },
    ]);
  });
});

describe('docs/clients.md', () => {
  it('quotes what is really read', () => {
    const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
    for (const line of [ANSWER, `403 openai/gpt-4.1 ${NO_RULE}`, ASK]) expect(page).toContain(line);
  });
});
