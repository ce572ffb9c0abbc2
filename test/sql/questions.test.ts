// Every question of docs/sql, asked of a fleet whose history is known: each has facts that its answer must hold, so that
// a query that only runs does not pass.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BlastRadius } from '../../contract/blast-radius.ts';
import { runOutrider, until } from '../support/processes.ts';
import { type History, makeHistory } from './history.ts';
import { type Answered, ask, askAll, type Parameters, readQuestions } from './questions.ts';

type Row = Readonly<Record<string, unknown>>;
interface Facts {
  readonly given?: (history: History) => Parameters;
  readonly hold: (rows: readonly Row[], history: History) => void;
}

const QUESTIONS = readQuestions();
let history: History;
beforeAll(async () => {
  history = await makeHistory();
}, 180_000);
afterAll(() => history?.stop());

const USUAL = (of: History): Parameters => ({
  since: of.began,
  usual_since: of.began,
  until: 'now',
  at_least: '5',
  idle_minutes: '0',
  agent: 'planner',
  task: 'brief-1',
  call: of.calls.write!,
  from_hour: '0',
  to_hour: '0',
});

const sum = (rows: readonly Row[], column: string): number =>
  rows.reduce((total, row) => total + Number(row[column]), 0);
const of = (rows: readonly Row[], having: Row): readonly Row[] =>
  rows.filter((row) => Object.entries(having).every(([column, value]) => row[column] === value));
const one = (rows: readonly Row[], having: Row): Row => {
  const found = of(rows, having);
  expect(found, `one row with ${JSON.stringify(having)} in ${JSON.stringify(rows)}`).toHaveLength(1);
  return found[0]!;
};
const cms = (rows: readonly Row[], column: string, path: string) =>
  rows.filter((row) => String(row[column]).endsWith(`/cms${path}`));

const FACTS: Readonly<Record<string, Facts>> = {
  '01-who-authorised-this-act': {
    hold: (rows) =>
      expect(rows).toEqual([
        expect.objectContaining({
          agent_id: 'writer',
          verdict: 'allow',
          rule: 'llm openai/gpt-5-mini',
          caller_agent: 'planner',
          grantor: 'ana@example.com',
          owner: 'ben',
          policy: expect.stringMatching(/^[0-9a-f]{12}$/),
          put_in_force_by: expect.stringMatching(/^.+@.+$/),
        }),
      ]),
  },
  '02-from-the-grantor-to-the-act': {
    hold: (rows) =>
      expect(
        rows.map(({ agent_id, called_by, grantor, task_id }) => [agent_id, called_by, grantor, task_id]),
      ).toEqual([
        ['planner', '', '', 'brief-1'],
        ['writer', 'planner', 'ana@example.com', 'article-1'],
      ]),
  },
  '03-what-a-task-cost': {
    hold(rows) {
      expect(rows).toHaveLength(2);
      expect(one(rows, { upstream: 'search' })).toMatchObject({ cost_usd: 0.005, unpriced: 0 });
      const inference = one(rows, { model: 'gpt-5-mini' });
      expect(Number(inference.tokens_in)).toBeGreaterThan(0);
      expect(Number(inference.cost_usd)).toBeCloseTo(
        Number(inference.tokens_in) * 0.25e-6 + Number(inference.tokens_out) * 2e-6,
        9,
      );
    },
  },
  '04-cost-by-day': {
    hold(rows) {
      expect(sum(of(rows, { agent_id: 'planner', model: '' }), 'cost_usd')).toBeCloseTo(0.015, 9);
      expect(sum(of(rows, { agent_id: 'looper' }), 'calls')).toBe(12);
      expect(new Set(rows.map(({ department }) => department))).toEqual(new Set(['lab', 'press']));
    },
  },
  '05-cost-against-the-month-before': {
    hold(rows) {
      expect(rows[0]).toMatchObject({ agent_id: 'planner', month_before_usd: 0, change_percent: null });
      expect(Number(rows[0]!.this_month_usd)).toBeGreaterThan(0.015);
      expect(of(rows, { agent_id: 'poor' })).toEqual([]);
    },
  },
  '06-who-uses-which-credential': {
    hold(rows) {
      const used = rows.map(({ credential, agent_id }) => `${credential} ${agent_id}`);
      expect(used).toEqual([
        'anthropic looper',
        'openai planner',
        'openai shadow',
        'openai-press writer',
        'search planner',
      ]);
      expect(one(rows, { credential: 'openai-press' }).calls).toEqual(expect.toBeOneOf([2, '2']));
    },
  },
  '07-what-an-agent-touched': {
    given: () => ({ agent: 'writer' }),
    hold(rows) {
      expect(rows[0]).toMatchObject({ changed_something: 1 });
      expect(cms(rows, 'target', '/pages/7')).toHaveLength(1);
      expect(Number(one(rows, { target: 'openai/gpt-5' }).refused)).toBeGreaterThan(0);
      expect(Number(one(rows, { target: 'openai/gpt-5' }).succeeded)).toBe(1);
    },
  },
  '08-blast-radius': {
    hold(rows) {
      expect(one(rows, { how: 'worked for it' })).toMatchObject({ reached: 'writer' });
      const changed = one(rows, { how: 'changed by writer, in the same trace' });
      expect(changed.reached).toMatch(/^PUT .*\/cms\/pages\/7$/);
      expect(rows).toHaveLength(2);
    },
  },
  '09-what-was-refused-and-why': {
    hold(rows) {
      const reasons = new Set(rows.map(({ agent_id, refusal }) => `${agent_id} ${refusal}`));
      expect(reasons).toEqual(
        new Set([
          'planner approval_needed',
          'planner out_of_scope',
          'planner prohibited',
          'planner upstream_timeout',
          'shadow agent_quarantined',
          'poor over_budget',
          'writer out_of_scope',
        ]),
      );
      expect(one(rows, { rule: 'llm openai/gpt-5-nano' })).toMatchObject({ target: 'openai/gpt-5-nano' });
    },
  },
  '10-what-enforcing-would-refuse': {
    hold: (rows) =>
      expect(rows.map(({ agent_id, target, would_refusal }) => [agent_id, target, would_refusal])).toEqual([
        ['shadow', 'openai/gpt-5', 'out_of_scope'],
        ['writer', 'openai/gpt-5', 'out_of_scope'],
      ]),
  },
  '11-prohibited-attempts': {
    hold(rows, { calls }) {
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ agent_id: 'planner', owner: 'ana', call_id: calls.prohibited });
    },
  },
  '12-calls-with-unknown-outcome': {
    hold(rows) {
      expect(rows).toEqual([expect.objectContaining({ agent_id: 'planner', task_id: 'brief-3' })]);
      expect(Number(rows[0]!.cost_usd)).toBeGreaterThan(0);
    },
  },
  '13-reported-and-estimated-usage': {
    hold(rows) {
      expect(one(rows, { usage_source: 'estimated' })).toMatchObject({ model: 'gpt-5-mini' });
      expect(one(rows, { upstream: 'anthropic' })).toMatchObject({
        usage_source: 'reported',
        share_percent: 100,
      });
    },
  },
  '14-slowest-targets': {
    hold(rows) {
      const [slow] = cms(rows, 'target', '/pages/2');
      expect(Number(slow?.timeouts)).toBe(1);
      expect(Number(slow?.p95_ms)).toBeGreaterThanOrEqual(1000);
      const order = rows.map(({ p95_ms }) => Number(p95_ms));
      expect(order).toEqual(order.toSorted((a, b) => b - a));
      expect(of(rows, { target: 'openai/gpt-5-pro' })).toEqual([]);
    },
  },
  '15-error-rate-by-upstream': {
    hold(rows) {
      expect(rows[0]).toMatchObject({ upstream: 'cms', error_percent: 66.7, upstream_statuses: [500, 504] });
      expect(one(rows, { upstream: 'anthropic' })).toMatchObject({ error_percent: 0 });
    },
  },
  '16-token-spikes': {
    given: ({ middle }) => ({ since: middle }),
    hold(rows) {
      expect(one(rows, { agent_id: 'looper' })).toMatchObject({ tokens_per_minute_usually: 0, times: null });
      const planner = one(rows, { agent_id: 'planner' });
      expect(Number(planner.tokens_per_minute_usually)).toBeGreaterThan(0);
      expect(of(rows, { agent_id: 'shadow' })).toEqual([]);
    },
  },
  '17-spinning-agents': {
    hold: (rows) => {
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ agent_id: 'looper', task_id: 'loop-1' });
      expect(Number(rows[0]!.times)).toBe(12);
    },
  },
  '18-stuck-tasks': {
    hold(rows) {
      const open = rows.map(({ task_id }) => task_id);
      expect(open).toEqual(expect.arrayContaining(['brief-3', 'loop-1']));
      for (const ended of ['brief-1', 'brief-2', 'article-1']) expect(open).not.toContain(ended);
    },
  },
  '19-model-drift': {
    given: ({ middle }) => ({ since: middle }),
    hold(rows) {
      expect(one(rows, { agent_id: 'planner', model: 'gpt-5-mini' })).toMatchObject({
        share_since_percent: 0,
      });
      const drifted = one(rows, { agent_id: 'planner', model: 'gpt-5' });
      expect(drifted).toMatchObject({ share_before_percent: 0, share_since_percent: 100 });
    },
  },
  '20-bill-of-materials': {
    hold(rows) {
      const names = (kind: string) =>
        of(rows, { kind })
          .map(({ name }) => name)
          .sort();
      expect(names('model')).toEqual(['openai/gpt-5', 'openai/gpt-5-mini']);
      expect(names('credential')).toEqual(['openai', 'search']);
      expect(names('version')).toEqual(['1.0.0']);
      expect(names('upstream')).toEqual(['cms', 'openai', 'search']);
    },
  },
  '21-policy-changes': {
    hold(rows) {
      const planner = of(rows, { agent_id: 'planner' });
      expect(sum(planner, 'instances')).toBeGreaterThanOrEqual(2);
      expect(planner[0]!.actor).toMatch(/^.+@.+$/);
      expect(Number(planner[0]!.bytes_of_text)).toBeGreaterThan(500);
    },
  },
  '22-who-switched-a-mode': {
    hold(rows) {
      expect(rows.map(({ event, agent_id, reason }) => [event, agent_id, reason])).toEqual([
        ['mode_changed', 'writer', 'a new model'],
        ['mode_restored', 'writer', 'restored by hand'],
      ]);
      expect(rows.map(({ let_pass }) => Number(let_pass))).toEqual([1, 0]);
    },
  },
  '23-missing-records': {
    hold(rows) {
      expect(rows).toHaveLength(2);
      for (const row of rows) expect([Number(row.missing), Number(row.twice)]).toEqual([0, 0]);
    },
  },
  '24-agents-by-policy-and-version': {
    hold(rows) {
      expect(Number(one(rows, { agent_id: 'planner', agent_version: '1.0.0' }).instances)).toBe(2);
      expect(one(rows, { agent_id: 'poor' })).toMatchObject({ refused_percent: 100, error_percent: 0 });
    },
  },
  '25-top-spenders': {
    hold(rows) {
      const [first] = rows;
      expect(first).toMatchObject({ agent_id: 'planner', department: 'lab', owner: 'ana' });
      expect(Number(first!.cost_usd)).toBeGreaterThan(0.005);
      expect(one(rows, { task_id: 'loop-1' })).toMatchObject({ dearest_model: 'claude-haiku-4-5' });
      expect(of(rows, { agent_id: 'poor' })).toEqual([]);
    },
  },
  '26-calls-outside-office-hours': {
    hold: (rows) => expect(sum(of(rows, { agent_id: 'looper' }), 'calls')).toBe(12),
  },
  '27-cost-of-a-unit-of-output': {
    hold(rows) {
      const planner = one(rows, { agent_id: 'planner' });
      expect([planner.done, planner.failed, planner.output_units].map(Number)).toEqual([1, 1, 1]);
      expect(Number(planner.usd_per_unit)).toBeCloseTo(Number(planner.cost_usd), 6);
      expect(Number(one(rows, { agent_id: 'writer' }).output_units)).toBe(2);
    },
  },
  '28-who-calls-whom': {
    hold: (rows) =>
      expect(rows).toEqual([expect.objectContaining({ caller_agent: 'planner', agent_id: 'writer' })]),
  },
  '29-money-written-off': {
    hold(rows) {
      expect(rows).toEqual([
        expect.objectContaining({ agent_id: 'planner', instance: 'other', unit: 'nanodollars' }),
      ]);
      expect(Number(rows[0]!.amount)).toBeGreaterThan(0);
    },
  },
  '30-what-models-asked-agents-to-do': {
    given: () => ({ agent: 'writer' }),
    hold: (rows) =>
      expect(rows.map(({ tool_name, requests }) => [tool_name, Number(requests)])).toEqual([
        ['announce', 1],
        ['publish', 1],
      ]),
  },
  '31-every-change-of-control-state': {
    hold(rows) {
      const events = new Set(rows.map(({ event }) => event));
      for (const event of [
        'task_ended',
        'mode_changed',
        'mode_restored',
        'budget_written_off',
        'policy_in_force',
      ])
        expect(events).toContain(event);
      expect(one(rows, { event: 'mode_changed' })).toMatchObject({
        agent_id: 'writer',
        reason: 'a new model',
      });
    },
  },
  '32-who-used-it': {
    given: () => ({ upstream: 'cms' }),
    hold(rows) {
      const writer = one(rows, { agent_id: 'writer' });
      expect([writer.calls, writer.may_have_changed, writer.tasks].map(Number)).toEqual([1, 1, 1]);
      expect(sum(of(rows, { agent_id: 'planner' }), 'may_have_changed')).toBe(0);
    },
  },
  '33-what-was-in-quarantine': {
    hold(rows) {
      expect(rows).toEqual([
        expect.objectContaining({ subject: 'agent/shadow', how: 'lifted', reason: 'read what it must not' }),
      ]);
      expect(Number(rows[0]!.refused)).toBeGreaterThan(0);
    },
  },
  '34-which-requested-tools-were-run': {
    given: () => ({ agent: 'writer' }),
    hold(rows) {
      const asked = { task_id: 'article-1', model: 'gpt-5-mini', requested_at: expect.any(String) };
      const times = rows.map((row) => ({ ...row, runs: Number(row.runs) }));
      expect(times).toEqual([
        {
          ...asked,
          tool_name: 'announce',
          tool_call_id: 'call-announce',
          run_at: null,
          runs: 0,
          run_status: null,
        },
        {
          ...asked,
          tool_name: 'publish',
          tool_call_id: 'call-publish',
          run_at: expect.any(String),
          runs: 1,
          run_status: 'Ok',
        },
      ]);
    },
  },
};

describe('the questions', () => {
  test('there are at least twenty, each with facts, and the index lists them all', () => {
    expect(QUESTIONS.length).toBeGreaterThanOrEqual(20);
    expect(Object.keys(FACTS)).toEqual(QUESTIONS.map(({ name }) => name));
    const index = readFileSync(join(import.meta.dirname, '../../docs/sql/README.md'), 'utf8');
    for (const { name, question } of QUESTIONS)
      expect(index).toContain(`| [${name.slice(0, 2)}](${name}.sql) | ${question} |`);
  });

  test.each(QUESTIONS)('$name', async (question) => {
    expect(question.question).toMatch(/\?$/);
    expect(question.when.length).toBeGreaterThan(10);
    const { given = () => ({}), hold } = FACTS[question.name]!;
    const parameters = { ...USUAL(history), ...given(history) };
    const answer = await settled(
      () => ask(history.sql, question, parameters),
      (rows) => hold(rows, history),
    );
    expect(answer.columns).toEqual(question.columns);
  });

  test('all can be asked of a fleet that nobody knows', async () => {
    const { answers, failures } = await askAll(history.sql);
    expect(failures).toEqual([]);
    expect(answers.size).toBe(QUESTIONS.length);
  });

  test('`outrider quarantine radius` says what an agent touched, and who worked on with what it said', async () => {
    const text = await history.outrider('quarantine', 'radius', 'agent/planner', '--since', '1h');
    expect(text).toMatch(/^writer +1 +was asked by planner +2 /m);
    expect(text).toMatch(/^GET \S+\/cms\/pages\/1 +planner +1 +0 +0 /m);
    expect(text).toMatch(/^openai\/gpt-5-nano +planner +1 +0 +1 /m);
    expect(text).toContain('Credentials: openai, search.');
    const json = ['quarantine', 'radius', '--since', '1h', '--json'];
    const cms = JSON.parse(await history.outrider(...json, 'upstream/cms')) as BlastRadius;
    expect(cms.touched[0]).toMatchObject({ agent: 'writer', calls: 1, changes: 1, refused: 0 });
    expect(cms.agents.map(({ agent, how, steps }) => [agent, how, steps]).sort()).toEqual([
      ['planner', 'used', 0],
      ['writer', 'used', 0],
    ]);
    const task = JSON.parse(await history.outrider(...json, 'task/writer/article-1')) as BlastRadius;
    expect(task.tasks).toMatchObject([{ agent: 'writer', task: 'article-1', calls: 2, changes: 1 }]);
    expect(task.agents).toMatchObject([{ agent: 'writer' }, { agent: 'planner', how: 'asked', steps: 1 }]);
    const model = JSON.parse(await history.outrider(...json, 'model/openai/gpt-5*')) as BlastRadius;
    expect(model.touched.every(({ upstream }) => upstream === 'openai')).toBe(true);
    expect(await history.outrider('quarantine', 'radius', 'agent/nobody')).toContain('touched nothing since');
  });

  test('`outrider sql` asks one by its file, with its parameters', async () => {
    const file = join(import.meta.dirname, '../../docs/sql/17-spinning-agents.sql');
    const parameters = ['--param', `since=${history.began}`, '--param', 'at_least=5'];
    const { code, stdout } = await runOutrider(['sql', '--url', history.sql, '--file', file, ...parameters]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('loop-1')]);
    const without = await runOutrider(['sql', '--url', history.sql, '--file', file]);
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('`since` is not set')]);
  });
});

/** The last records and events are a moment on their way: asked again until the facts hold, then they must hold. */
async function settled(
  query: () => Promise<Answered>,
  hold: (rows: readonly Row[]) => void,
): Promise<Answered> {
  const holds = ({ rows }: Answered) => {
    try {
      hold(rows);
      return true;
    } catch {
      return false;
    }
  };
  const answer = await until(query, holds, 20_000).catch(query);
  hold(answer.rows);
  return answer;
}
