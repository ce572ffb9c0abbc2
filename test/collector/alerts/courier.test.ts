// From a round to the channels, on the real control database: told once, in order, again where a channel could not take
// it, and never what it said was malformed.

import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCourier } from '../../../collector/alerts/courier.ts';
import { parseDefinitions } from '../../../collector/alerts/definition.ts';
import { outcomeOf } from '../../../collector/alerts/delivery.ts';
import { createEvaluation, type Evaluation, type Figures } from '../../../collector/alerts/evaluate.ts';
import type { Row } from '../../../collector/alerts/finding.ts';
import { type AlertBook, createAlertBook } from '../../../collector/control/alert-book.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import { post } from '../../../collector/edges/post.ts';
import type { Page } from '../../../contract/alert.ts';
import { silentLog } from '../../../kit/log.ts';
import { createSecrets } from '../../../kit/secrets.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { type PagerdutyDouble, startPagerduty } from '../../support/pagerduty.ts';
import { until } from '../../support/processes.ts';
import { configOf, type Database, openBench } from '../control/bench.ts';
import { type ChannelDouble, startChannel } from './channel.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const MINUTE = 60_000;
const { alerts } = parseDefinitions(readAlertFiles());
const none = async () => [];
const FIGURES: Figures = {
  budgets: none,
  shared_budgets: none,
  own_budgets: none,
  parts_away: none,
  own_queue: none,
  own_refusals: none,
  set_aside: none,
  sums_in_doubt: none,
  dead_letters: none,
  own_log: none,
  anchors: none,
  halted_retention: none,
};

let bench: Awaited<ReturnType<typeof openBench>>;
let database: Database;
let book: AlertBook;
let pagerduty: PagerdutyDouble;
let slack: ChannelDouble;
let clock: ManualClock;
let rows: Readonly<Record<string, readonly Row[]>>;
let evaluation: Evaluation;
let courier: ReturnType<typeof startCourier>;
let env: Record<string, string>;

beforeAll(async () => {
  bench = await openBench();
  database = bench.database;
  book = createAlertBook(database);
});
afterAll(() => bench.close());

beforeEach(async () => {
  await database.query('truncate alert_incidents, alert_sends, alert_silences, control_events cascade');
  pagerduty = await startPagerduty();
  slack = await startChannel();
  clock = manualClock();
  rows = {};
  env = { PD: KEY, SLACK: slack.url, HOOK: `${slack.url}#whsec_c2VjcmV0` };
  const config = await configOf(`agents:
  writer: { role: any, owner: leads }
  editor: { role: any, owner: readers }
alerts: { critical: pagerduty env:PD, warning: slack env:SLACK, digest: webhook env:HOOK }
owners: { leads: { pagerduty: env:PD, slack: env:SLACK }, readers: { webhook: env:HOOK } }`);
  const byText = new Map(alerts.map(({ id, sql }) => [sql, id]));
  evaluation = createEvaluation({
    definitions: alerts,
    config: () => config,
    scene: { fleet: 'test', consoleUrl: 'http://127.0.0.1:4319' },
    pace: 1,
    book,
    ask: async (sql) => rows[byText.get(sql) ?? ''] ?? [],
    figures: FIGURES,
    log: silentLog,
  });
  courier = startCourier({
    config: () => config,
    book,
    secrets: createSecrets(clock, env),
    post,
    pagerdutyUrl: pagerduty.url,
    random: () => 0,
    clock,
    log: silentLog,
  });
});
afterEach(async () => {
  await courier.close();
  await pagerduty.close();
  await slack.close();
});

const FAILING: Row = { key: 'writer', agent: 'writer', task: 't1', value: 0.6, calls: 10, spend: 1.5 };

async function round(found: typeof rows = rows): Promise<void> {
  rows = found;
  if (await evaluation.round(clock.nowMs())) courier.wake();
}
const waiting = () =>
  database.query<{ answer: string }>(`select answer from alert_sends where state = 'waiting'`);
/** Turns the clock until nothing waits any more. */
const carried = () =>
  until(
    async () => {
      clock.advance(1_000);
      return waiting();
    },
    (left) => left.length === 0,
  );

describe('a critical alert', () => {
  it('opens one incident that names everything, is taken on, and is resolved', async () => {
    await round({ 'error-rate': [FAILING] });
    const incident = await pagerduty.until(({ incidents }) => incidents[0]);
    expect(incident).toMatchObject({
      summary: "60 % of writer's 10 calls failed",
      severity: 'critical',
      class: 'error-rate',
      details: { agent: 'writer', task: 't1', owner: 'leads', spend: '$1.50', value: '60 %' },
    });
    expect(incident.details.next).toContain("agent_id = 'writer'");
    expect(
      await book.acknowledge({ alert: 'error-rate', key: null, by: 'anna', reason: 'mine', nowMs: 1 }),
    ).toBe(1);
    courier.wake();
    await pagerduty.until(() => incident.status === 'acknowledged' || undefined);
    clock.advance(5 * MINUTE);
    await round({});
    await pagerduty.until(() => incident.status === 'resolved' || undefined);
    await carried();
    await round({});
    await carried();
    expect(pagerduty.requests.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(await book.open()).toEqual([]);
    expect(await book.history(10)).toMatchObject([{ alert: 'error-rate', acknowledgedBy: 'anna' }]);
    const events = await database.query('select event, actor, agent, reason from control_events order by id');
    expect(events).toEqual([
      {
        event: 'alert_fired',
        actor: 'collector',
        agent: 'writer',
        reason: "60 % of writer's 10 calls failed",
      },
      { event: 'alert_acknowledged', actor: 'anna', agent: 'writer', reason: 'mine' },
      {
        event: 'alert_resolved',
        actor: 'collector',
        agent: 'writer',
        reason: "60 % of writer's 10 calls failed",
      },
    ]);
  });

  it('COL-30: is told again after 429, 500 and a broken connection, and opens one incident', async () => {
    pagerduty.answerNext(429, 500, null);
    await round({ 'error-rate': [FAILING] });
    await carried();
    expect(pagerduty.requests.map(({ status }) => status)).toEqual([429, 500, 202]);
    expect(pagerduty.incidents).toHaveLength(1);
  });

  it('waits as long as retry-after says', async () => {
    pagerduty.answerNext(429);
    await round({ 'error-rate': [FAILING] });
    await until(waiting, ([send]) => send?.answer.startsWith('429') ?? false);
    const [{ ms } = { ms: 0 }] = await database.query<{ ms: number }>(
      'select (next_at - enqueued_at)::float8 as ms from alert_sends',
    );
    expect(ms).toBe(1_000);
  });

  it('is not resolved before it was told', async () => {
    pagerduty.answerNext(500, 500, 500);
    await round({ 'error-rate': [FAILING] });
    await pagerduty.until(({ requests }) => requests[0]);
    clock.advance(6 * MINUTE);
    await round({});
    await carried();
    const actions = pagerduty.requests.map(({ body }) => (body as { event_action: string }).event_action);
    expect(actions.indexOf('resolve')).toBe(actions.lastIndexOf('trigger') + 1);
    expect(pagerduty.incidents.map(({ status }) => status)).toEqual(['resolved']);
  });

  it('that the channel calls malformed is not sent again, and listed', async () => {
    pagerduty.answerNext(400);
    await round({ 'error-rate': [FAILING] });
    await carried();
    expect(await book.troubled(clock.nowMs())).toMatchObject([
      { channel: 'critical', state: 'failed', attempts: 1, answer: expect.stringContaining('400') },
    ]);
    expect(pagerduty.requests).toHaveLength(1);
  });

  it('is given up after a day', async () => {
    pagerduty.answerNext(...Array.from({ length: 1_000 }, () => 503));
    await round({ 'error-rate': [FAILING] });
    await pagerduty.until(({ requests }) => requests[0]);
    await until(waiting, ([send]) => send?.answer.startsWith('503') ?? false);
    clock.advance(24 * 60 * MINUTE);
    await carried();
    expect(await book.troubled(clock.nowMs())).toMatchObject([{ state: 'failed', attempts: 2 }]);
  });

  it('is told once by a collector that comes back', async () => {
    await round({ 'error-rate': [FAILING] });
    await carried();
    clock.advance(MINUTE);
    await round();
    await round();
    expect(pagerduty.requests).toHaveLength(1);
  });
});

describe('a channel', () => {
  it('of an owner who has no pager hears what is critical too; PagerDuty is told once where both are the same', async () => {
    await round({ 'error-rate': [FAILING, { ...FAILING, key: 'editor', agent: 'editor' }] });
    await carried();
    expect(pagerduty.incidents.map(({ details }) => details.agent).sort()).toEqual(['editor', 'writer']);
    const [{ headers, body } = { headers: {}, body: '' }] = slack.received;
    expect(slack.received).toHaveLength(1);
    const page = JSON.parse(body) as Page;
    expect(page).toMatchObject({ action: 'trigger', alert: 'error-rate', agent: 'editor', owner: 'readers' });
    const key = Buffer.from('c2VjcmV0', 'base64');
    const sign = (text: string) => createHmac('sha256', key).update(text);
    const at = String(headers['webhook-timestamp']);
    expect(headers['webhook-signature']).toBe(
      `v1,${sign(`${headers['webhook-id']}.${at}.${body}`).digest('base64')}`,
    );
    expect(headers['x-outrider-signature']).toBe(`t=${at},v1=${sign(`${at}.${body}`).digest('hex')}`);
  });

  it('gets warnings as words, in which no agent can make a link or call everybody', async () => {
    const evil = '<!channel> <https://evil.example|click> & `x`';
    await round({
      'credential-unusual': [{ key: 'k', agent: 'nobody', value: 1, credential: evil, how: 'now' }],
    });
    await carried();
    const { text, blocks } = JSON.parse(slack.received[0]!.body) as { text: string; blocks: unknown[] };
    expect(text).toBe(
      'Warning: nobody used credential &lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; `x` now',
    );
    expect(JSON.stringify(blocks)).not.toContain('<!');
    expect(JSON.stringify(blocks)).not.toContain('evil.example|click>"');
    expect(blocks[0]).toMatchObject({ text: { verbatim: true } });
    expect(pagerduty.requests).toHaveLength(0);
  });

  it('that redirects is not followed, and is asked again', async () => {
    slack.answer(302, { location: pagerduty.url });
    await round({ 'rate-limited': [{ key: 'site', upstream: 'site', value: 3 }] });
    clock.advance(5 * MINUTE);
    await round();
    await until(waiting, ([send]) => send?.answer.startsWith('302') ?? false);
    expect(pagerduty.requests).toHaveLength(0);
    slack.answer(200);
    await carried();
  });

  it('whose secret is not there yet takes the page once it is', async () => {
    delete env.SLACK;
    await round({
      'credential-unusual': [{ key: 'k', agent: 'nobody', value: 1, credential: 'c', how: 'now' }],
    });
    const [send] = await until(waiting, ([first]) => !!first?.answer);
    expect(send!.answer).toBe('the variable SLACK is not set');
    env.SLACK = slack.url;
    await carried();
    expect(slack.received).toHaveLength(1);
  });

  it('may answer anything, and still has taken the page', async () => {
    slack.answer(200, {}, `fine\0${'!'.repeat(100_000)}`);
    await round({
      'credential-unusual': [{ key: 'k', agent: 'nobody', value: 1, credential: 'c', how: 'now' }],
    });
    await carried();
    expect(slack.received).toHaveLength(1);
  });

  it('that asks for much patience is asked again within the hour', () => {
    const answer = { status: 429, text: '', retryAfterSeconds: 1e30 };
    expect(outcomeOf(answer, 1, 0, 0)).toEqual({ kind: 'again', afterMs: 60 * MINUTE });
  });

  it('with much to be told keeps no other waiting', async () => {
    await courier.close();
    const sendTo = (channel: string, key: string) => ({ channel, page: { dedup_key: key } as Page });
    await book.enqueue(
      Array.from({ length: 20 }, (_, n) => sendTo('warning', `w${n}`)),
      clock.nowMs() - MINUTE,
    );
    await book.enqueue([sendTo('critical', 'c')], clock.nowMs());
    const due = await book.due(clock.nowMs(), 8);
    expect(due.map(({ channel }) => channel)).toEqual(['warning', 'critical', ...Array(6).fill('warning')]);
  });

  it('that is gone from the config is said to be', async () => {
    await book.enqueue([{ channel: 'owner:nobody:slack', page: { dedup_key: 'x' } as Page }], clock.nowMs());
    courier.wake();
    const [send] = await until(waiting, ([first]) => first?.answer !== '');
    expect(send!.answer).toBe('the config has no channel owner:nobody:slack any more');
  });
});

describe('what an agent names itself', () => {
  it('never gets into a command that somebody pastes', async () => {
    const task = "x'; rm -rf ~ #";
    await round({ 'task-overspent': [{ key: 'writer/x', agent: 'writer', task, value: 60 }] });
    const incident = await pagerduty.until(({ incidents }) => incidents[0]);
    expect(incident.details.task).toBe(task);
    expect(incident.details.next).toContain("task_id = '…'");
    expect(incident.details.next).not.toContain('rm -rf');
  });
});

describe('what an agent does to blind others', () => {
  it('a name no database takes, and one incident that cannot be kept, stop no other', async () => {
    const task = 'a\u0000b\ud800';
    await round({ 'task-overspent': [{ key: `writer/${task}`, agent: 'writer', task, value: 60 }] });
    const incident = await pagerduty.until(({ incidents }) => incidents[0]);
    expect(incident.details.task).toBe('a\uFFFDb\uFFFD');
    const broken = {
      incident: { ...evaluation.current()[0]!, id: null, key: 'k', severity: 'loud' },
      change: 'fired',
      sends: [],
    };
    const good = { ...broken, incident: { ...broken.incident, key: 'good', severity: 'critical' } };
    const steps = [broken, good] as unknown as Parameters<typeof book.keep>[0];
    await expect(book.keep(steps, clock.nowMs())).rejects.toThrow('severity');
    expect((await book.open()).map(({ key }) => key)).toContain('good');
  });
});

describe('a silence', () => {
  it('keeps a page back and is on record; what still fires when it ends is told', async () => {
    const ask = { matchers: { agent: 'wri*' }, reason: 'moving', by: 'anna', nowMs: clock.nowMs() };
    const id = await book.silence({ ...ask, endsMs: clock.nowMs() + 10 * MINUTE });
    await round({ 'error-rate': [FAILING] });
    clock.advance(MINUTE);
    await round();
    expect(await waiting()).toEqual([]);
    expect(await book.endSilence(id, 'anna', clock.nowMs())).toBe(true);
    await round();
    await pagerduty.until(({ incidents }) => incidents[0]);
    const events = await database.query(
      "select event, reason from control_events where event = 'alert_silenced'",
    );
    expect(events.map(({ reason }) => reason)).toEqual(['moving', 'ended early']);
  });
});

describe('a question that fails', () => {
  it('is named, resolves nothing, and stops no other', async () => {
    await round({ 'error-rate': [FAILING] });
    rows = new Proxy({} as typeof rows, {
      get: (_, id) => {
        if (id === 'error-rate') throw new Error('no memory left');
        return id === 'prohibited-act' ? [{ key: 'k', agent: 'writer', value: 1, target: 'x' }] : [];
      },
    });
    clock.advance(10 * MINUTE);
    await round();
    expect([...evaluation.failing()]).toEqual([['error-rate', 'no memory left']]);
    expect(
      evaluation
        .current()
        .map(({ alert }) => alert)
        .sort(),
    ).toEqual(['error-rate', 'prohibited-act']);
    await carried();
    expect(pagerduty.incidents.map(({ status }) => status)).toEqual(['triggered', 'triggered']);
    await round({ 'error-rate': [FAILING] });
    expect(evaluation.failing().size).toBe(0);
  });
});
