// Two policies over recorded calls: each case is what was done, the lists of the role before and after, and what changes.

import { describe, expect, test } from 'vitest';
import type { Config } from '../../contract/config/config.ts';
import { parseConfig } from '../../contract/config/parse.ts';
import { diffPolicies } from '../../contract/policy-diff.ts';
import type { RecordedCalls } from '../../contract/recorded-calls.ts';
import { a2a, http, llm, tool } from './suggest/calls.ts';

async function configOf(role: string, more = ''): Promise<Config> {
  const text = `fleet: test
upstreams:
  openai: { url: https://api.openai.com, speaks: openai }
  search: { url: https://api.search.example, speaks: http }
${WRITER}
roles: { r: ${role} }
agents: { scout: { role: r } }
${more}`;
  return (await parseConfig([{ file: 'outrider.yaml', text }])).config;
}

async function changes(
  recorded: readonly RecordedCalls[],
  before: string,
  after: string,
  more = '',
  moreAfter = more,
) {
  const found = diffPolicies(await configOf(before, more), await configOf(after, moreAfter), recorded);
  return found.map(({ change, before: was, after: is }) => [change, was.verdict, is.verdict, is.rule]);
}

const MINI = llm('openai/gpt-5-mini');
const GET = http('GET https://api.search.example/v1/a');
const PAGE = http('GET https://docs.example/a', { upstream: 'docs.example' });
const TUNNEL = http('db.example:5432', { upstream: 'db.example:5432' });
const WRITER = '  writer: { url: https://writer.example, speaks: a2a }';
const ALLOW = '{ allow: [llm openai/gpt-5-mini] }';

describe('what changes', () => {
  test.each([
    ['nothing', [MINI], ALLOW, ALLOW, []],
    ['an allow is gone', [MINI], ALLOW, '{}', [['now_refused', 'allow', 'deny', null]]],
    [
      'a deny comes',
      [MINI],
      ALLOW,
      '{ allow: [llm openai/*], deny: [llm openai/gpt-5*] }',
      [['now_refused', 'allow', 'deny', 'llm openai/gpt-5*']],
    ],
    [
      'a human is to be asked',
      [MINI],
      ALLOW,
      '{ ask: [llm openai/gpt-5-mini] }',
      [['now_refused', 'allow', 'ask', 'llm openai/gpt-5-mini']],
    ],
    ['an allow comes', [MINI], '{}', ALLOW, [['now_allowed', 'deny', 'allow', 'llm openai/gpt-5-mini']]],
    [
      'someone is told from now on',
      [MINI],
      ALLOW,
      '{ notify: [llm openai/gpt-5-mini] }',
      [['other_rule', 'allow', 'notify', 'llm openai/gpt-5-mini']],
    ],
    [
      'another rule says the same',
      [MINI],
      ALLOW,
      '{ allow: [llm openai/*] }',
      [['other_rule', 'allow', 'allow', 'llm openai/*']],
    ],
    [
      'hosts that no upstream declares',
      [PAGE, TUNNEL],
      '{ allow: ["http GET https://**/**", "connect db.example:5432"] }',
      '{}',
      [
        ['now_refused', 'allow', 'deny', null],
        ['now_refused', 'allow', 'deny', null],
      ],
    ],
    [
      'another agent, by skill',
      [a2a('writer/summarise')],
      '{ allow: [a2a writer/*] }',
      '{ allow: [a2a writer/default] }',
      [['now_refused', 'allow', 'deny', null]],
    ],
    [
      'where another agent may call back to',
      [a2a('POST https://hooks.example/done', 'writer')],
      '{ allow: [a2a writer/*, http POST https://hooks.example/**] }',
      '{ allow: [a2a writer/*] }',
      [['now_refused', 'allow', 'deny', null]],
    ],
    [
      'enforcing begins',
      [MINI],
      '{ mode: observe }',
      '{ mode: enforce }',
      [['now_refused', 'deny', 'deny', null]],
    ],
    ['observing begins', [MINI], '{}', '{ mode: observe }', [['now_allowed', 'deny', 'deny', null]]],
    [
      'a tool that models asked for is denied',
      [tool('shell'), tool('read')],
      ALLOW,
      '{ allow: [llm openai/gpt-5-mini, tool read], deny: [tool shell] }',
      [
        ['now_refused', 'allow', 'deny', 'tool shell'],
        ['other_rule', 'allow', 'allow', 'tool read'],
      ],
    ],
    [
      'a condition on the model, which a record keeps',
      [MINI],
      ALLOW,
      `{ allow: ['llm openai/* when call.model.endsWith("mini")'] }`,
      [['other_rule', 'allow', 'allow', 'llm openai/* when call.model.endsWith("mini")']],
    ],
    [
      'a condition on arguments, which it does not',
      [MINI],
      ALLOW,
      `{ allow: ['llm openai/gpt-5-mini when args.n < 3'] }`,
      [['not_decided', 'allow', 'deny', null]],
    ],
    [
      'the same condition before and after',
      [MINI],
      `{ allow: ['llm openai/gpt-5-mini when args.n < 3'] }`,
      `{ allow: ['llm openai/gpt-5-mini when args.n < 3'] }`,
      [],
    ],
    [
      'a condition that cannot change the end',
      [MINI],
      ALLOW,
      `{ deny: ['llm openai/gpt-5-mini when args.n < 3'] }`,
      [['now_refused', 'allow', 'deny', null]],
    ],
    ['what no rule was asked about', [http('GET /nowhere/x')], ALLOW, '{}', []],
  ])('%s', async (_, recorded, before, after, expected) => {
    expect(await changes(recorded, before, after)).toEqual(expected);
  });

  test('prohibited is refused while observing, too', async () => {
    const prohibited = 'prohibited: [llm openai/gpt-5-mini]';
    const found = await changes([MINI], '{ mode: observe }', '{ mode: observe }', '', prohibited);
    expect(found).toEqual([['now_refused', 'deny', 'prohibited', 'llm openai/gpt-5-mini']]);
  });

  test('an agent or an upstream that is gone', async () => {
    const other = { ...MINI, agent: 'nobody' };
    const gone = llm('old/gpt-5-mini');
    expect(await changes([other, gone], ALLOW, ALLOW)).toEqual([]);
    const known = await configOf(ALLOW);
    const without = (
      await parseConfig([
        { file: 'o.yaml', text: 'fleet: test\nroles: {r: {}}\nagents: { other: { role: r } }' },
      ])
    ).config;
    expect(diffPolicies(known, without, [MINI])).toMatchObject([
      { change: 'now_refused', after: { rule: 'no such agent' } },
    ]);
  });

  test('an upstream that moved is judged where it is now', async () => {
    const rule = '{ allow: ["http GET https://api.search.example/**"] }';
    const moved = await configOf(rule.replaceAll('api.search', 'new.search'));
    const text = moved.sources[0]!.text.replace(
      'url: https://api.search.example',
      'url: https://new.search.example',
    );
    const { config } = await parseConfig([{ file: 'outrider.yaml', text }]);
    expect(diffPolicies(await configOf(rule), config, [GET])).toMatchObject([
      { change: 'other_rule', before: { passes: true }, after: { passes: true } },
    ]);
  });
});
