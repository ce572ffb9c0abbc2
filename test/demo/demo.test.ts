// The whole of it, end to end: twenty agents behind twenty sidecars, planned trouble, and a record that agrees with what
// agents saw and providers billed.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyChain } from '../../contract/audit-entry.ts';
import { INCIDENTS, incidentTask } from '../../examples/fleet/incidents.ts';
import { MEMBERS } from '../../examples/fleet/plan.ts';
import { buildConsole } from '../../scripts/build-console.ts';
import { everyQuery } from '../dashboards/every-query.ts';
import { askAll } from '../sql/questions.ts';
import { launch, openPage } from '../support/browser.ts';
import { runOutrider, temporaryDirectory } from '../support/processes.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { ADOPTED, adopt, enforce } from './adoption.ts';
import { withDemo } from './demo.ts';

const ARTICLES = 8;
const DIRECTORY = join(temporaryDirectory('demo'), 'fleet');

let prometheus: Prometheus;
beforeAll(async () => {
  prometheus = await startPrometheus(join(DIRECTORY, 'prometheus-targets.json'));
});
afterAll(() => prometheus.stop());
const demo = withDemo(ARTICLES, DIRECTORY);

describe('the summary', () => {
  it('agrees in every line', () => {
    const { findings } = demo();
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.length).toBeGreaterThan(25);
  });

  it('woke whom it should have, and nobody else', () => {
    const about = (text: string) => demo().findings.find((each) => each.about === text)?.recorded;
    expect(about('false alarms')).toBe('none');
    expect(about('incidents at PagerDuty')).toBe('6');
    expect(about('alert prohibited-act')).toBe('writer-3 (critical)');
  });

  it('compares amounts that are not nothing', () => {
    const about = (text: string) => demo().findings.find((each) => each.about === text)!;
    expect(Number(about('$ in all').happened.slice(1))).toBeGreaterThan(100);
    expect(Number(about('calls made by agents = records').happened)).toBeGreaterThan(ARTICLES * 70);
  });
});

describe('the records', () => {
  it('hold the planned refusals and no other', async () => {
    const planned = INCIDENTS.flatMap(({ name, agent, outcomes }) =>
      outcomes.flatMap(({ refusal, calls }) =>
        refusal === ''
          ? []
          : [{ agent_id: agent, task_id: incidentTask(name), refusal, calls: String(calls) }],
      ),
    );
    const found = await demo().query(
      `SELECT agent_id, task_id, refusal, toString(count()) AS calls FROM actions WHERE refusal != '' AND agent_instance != '${ADOPTED}'
       GROUP BY agent_id, task_id, refusal`,
    );
    const key = (row: object): string => JSON.stringify(Object.entries(row).sort());
    expect(found.map(key).sort()).toEqual(planned.map(key).sort());
  });

  it('name each act’s caller and its first grantor, hop by hop', async () => {
    const hops = await demo().query(
      `SELECT agent_id, any(caller_agent) AS caller, uniqExact(caller_agent) AS callers, any(grantor) AS grantor
       FROM actions WHERE task_id = 'article-001' GROUP BY agent_id ORDER BY agent_id`,
    );
    const callers = Object.fromEntries(hops.map(({ agent_id, caller }) => [agent_id, caller]));
    expect(callers).toEqual({
      scout: '',
      keyword: 'scout',
      strategist: 'keyword',
      'research-1': 'strategist',
      'research-2': 'strategist',
      'research-3': 'strategist',
      'writer-1': 'strategist',
      'editor-1': 'writer-1',
      seo: 'editor-1',
      'image-1': 'seo',
      'social-1': 'seo',
      'social-2': 'seo',
      'social-3': 'seo',
      publisher: 'seo',
      analytics: 'publisher',
    });
    expect(new Set(hops.map(({ grantor }) => grantor))).toEqual(new Set(['head-of-content']));
    expect(hops.every(({ callers }) => Number(callers) === 1)).toBe(true);
  });

  it('stand in unbroken chains, and an altered or missing one is found', async () => {
    const entries = await demo().query<{ audit_stream: string; entry: string; hash: string }>(
      'SELECT audit_stream, audit_entry AS entry, audit_hash AS hash FROM actions ORDER BY audit_stream, audit_seq',
    );
    const streams = [...Map.groupBy(entries, ({ audit_stream }) => audit_stream).values()];
    expect(streams.length).toBeGreaterThanOrEqual(MEMBERS.length);
    expect(streams.map((chain) => verifyChain(chain))).toEqual(streams.map(() => null));
    const [chain] = streams as [typeof entries];
    const forged = chain.map((link, at) =>
      at === 1 ? { ...link, entry: link.entry.replace(/"status":"\w+"/, '"status":"forged"') } : link,
    );
    expect(verifyChain(forged)).not.toBeNull();
    expect(verifyChain(chain.filter((_, at) => at !== 1))).not.toBeNull();
  });

  it('show the crash as what it was', async () => {
    const crashed = await demo().query(
      `SELECT agent_id, status, usage_source, cost_usd > 0 AS charged FROM actions
       WHERE error_type = 'outcome_unknown'`,
    );
    expect(crashed).toEqual([
      { agent_id: 'editor-2', status: 'failure', usage_source: 'estimated', charged: 1 },
    ]);
  });
});

describe('the ledger', () => {
  it('has a line for every agent, none over its limit', async () => {
    const lines =
      await demo().get<{ level: string; name: string; limit: string; posted: string }[]>('/v1/budgets');
    const agents = lines.filter(({ level }) => level === 'agent');
    expect(agents.map(({ name }) => name).sort()).toEqual(MEMBERS.map(({ name }) => name).sort());
    expect(agents.filter(({ posted, limit }) => BigInt(posted) > BigInt(limit))).toEqual([]);
    const social = agents.find(({ name }) => name === 'social-3')!;
    expect(BigInt(social.posted)).toBeGreaterThan(49_000_000_000n);
  });
});

describe('observe, suggest, enforce', () => {
  const AGENT = 'social-2';
  const chat = (model: string): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      max_completion_tokens: 160,
      messages: [{ role: 'user', content: 'Again.' }],
    }),
  });

  it('lets the same calls pass, and refuses a new host', async () => {
    const adopted = await adopt(demo(), AGENT);
    expect(adopted.suggested).toContain('- llm openai/gpt-4o\n');
    const diff = ['policy', 'diff', adopted.before, adopted.after, '--agent', AGENT, '--since', '1h'];
    expect(await runOutrider([...diff, '--url', demo().listen.sql!])).toMatchObject({ code: 0 });
    const sidecar = await enforce(demo(), adopted, AGENT);
    const { proxy } = sidecar.listen.sidecar!;
    const refusalOf = async (path: string, init: RequestInit): Promise<string | number> => {
      const answer = await fetch(proxy + path, init);
      return answer.headers.get('x-outrider-refusal') ?? answer.status;
    };
    const seen = [
      await refusalOf('/openai/v1/chat/completions', chat('gpt-4o-mini')),
      await refusalOf('/openai/v1/chat/completions', chat('gpt-4o')),
      await refusalOf('/mail/v1/posts', { method: 'POST' }),
    ];
    const unseen = [
      await refusalOf('/openai/v1/chat/completions', chat('gpt-4.1')),
      await refusalOf('/search/v1?q=new', {}),
      await refusalOf('/reports/v1/orders/1', { method: 'POST' }),
    ];
    await sidecar.kill('SIGTERM');
    expect(seen).toEqual([200, 200, 200]);
    expect(unseen).toEqual(['out_of_scope', 'out_of_scope', 'out_of_scope']);
  });
});

describe('what people ask of it', () => {
  /** Nothing of the kind happens in the demo. */
  const RIGHTLY_EMPTY = ['29-money-written-off', '33-what-was-in-quarantine'];

  it('is answered by every panel of every dashboard', async () => {
    const sources = { sql: demo().listen.sql!, prometheus: prometheus.url };
    const outcomes = await everyQuery(sources, { minutes: 15, toMs: demo().closedMs });
    expect(outcomes.length).toBeGreaterThan(80);
    expect(outcomes.filter(({ failure, rows }) => failure !== null || rows === 0)).toEqual([]);
  });

  it('is answered by every question of docs/sql', async () => {
    const { answers, failures } = await askAll(demo().listen.sql!);
    expect(failures).toEqual([]);
    expect(answers.size).toBeGreaterThanOrEqual(20);
    const empty = [...answers].filter(([, { rows }]) => rows.length === 0).map(([name]) => name);
    expect(empty).toEqual(RIGHTLY_EMPTY);
  });

  it('is shown by every page of the console, with nothing to complain of', async () => {
    const { listen, data } = demo();
    await buildConsole();
    const browser = await launch();
    try {
      const link = await runOutrider(['console', '--collector', listen.control!, '--data', data]);
      const { page, faults } = await openPage(browser, link.stdout.trim());
      await page.locator('.needs li', { hasText: 'Prohibited act' }).getByText('writer-3').first().waitFor();
      await page.goto(`${listen.control}/#/agents/social-3`);
      await page.getByRole('heading', { name: 'social-3' }).waitFor();
      await page.locator('.code', { hasText: 'over_budget' }).first().waitFor();
      await page.goto(`${listen.control}/#/calls`);
      await page.locator('tr', { hasText: 'analytics' }).first().waitFor();
      const [article] = await demo().query<{ trace_id: string }>(
        "SELECT trace_id FROM actions WHERE task_id = 'article-001' LIMIT 1",
      );
      await page.goto(`${listen.control}/#/trace/${article!.trace_id}`);
      await page.locator('.span-title').nth(14).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
