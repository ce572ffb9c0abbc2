// Three sets of books of the same month: what the agents saw, what the providers served and billed, what Outrider wrote
// down. Each line here says what two of them have to agree on, to the last call and nanodollar.

import { verifyChain } from '../../contract/audit-entry.ts';
import { formatDollars as dollars } from '../../contract/money.ts';
import { alarmFindings } from './alarms.ts';
import { type Finding, line } from './finding.ts';
import type { Books } from './fleet.ts';
import { INCIDENTS, incidentTask, LOOP_FROM } from './incidents.ts';
import { membersOf, ROLES } from './plan.ts';
import { actionsOf, ask, type BudgetRow, control, type Row, until } from './records.ts';
import type { Shown } from './run.ts';
import type { Served } from './world/bill.ts';

/** What the lines are worked out from. */
export interface Evidence {
  readonly shown: Shown;
  readonly rows: readonly Row[];
  readonly books: Books;
  readonly served: readonly Served[];
  readonly fleetPosted: string;
}

const CRASHED_CALLS = 1;

export async function gather(shown: Shown): Promise<Evidence> {
  const { fleet } = shown;
  const books = await fleet.books();
  const answered = books.attempts.filter(({ call }) => call !== '').length;
  const rows = await actionsOf(fleet, answered + CRASHED_CALLS);
  const spent = String(sum(rows.map(costOfRow)));
  const posted = async (): Promise<string> => {
    const budgets = await control<BudgetRow[]>(fleet, '/v1/budgets');
    return budgets.find(({ level, unit }) => level === 'fleet' && unit === 'nanodollars')?.posted ?? '';
  };
  const fleetPosted = await until(posted, (value) => value === spent, 15_000);
  return { shown, rows, books, served: fleet.bill.served, fleetPosted };
}

export async function findingsOf(evidence: Evidence): Promise<Finding[]> {
  const { shown } = evidence;
  return [
    line('articles published', shown.articles, shown.published),
    ...callFindings(evidence),
    ...moneyFindings(evidence),
    ...INCIDENTS.flatMap((incident) => incidentFindings(incident, evidence.rows)),
    otherRefusals(evidence.rows),
    await loopFinding(shown),
    ...lineageFindings(evidence),
    await chainFinding(evidence),
    ...(await alarmFindings(shown.fleet)),
  ];
}

function callFindings({ rows, books, served }: Evidence): Finding[] {
  const byCall = new Map(rows.map((row) => [row.call_id, row]));
  const spans = new Map(rows.map((row) => [row.span_id, row]));
  const answered = books.attempts.filter(({ call }) => call !== '');
  const agreeing = answered.filter(({ call, task, status, refusal }) => {
    const row = byCall.get(call);
    return row?.task_id === task && row.http_status === status && row.refusal === refusal;
  });
  const reached = [...served.map(({ span }) => span), ...books.received];
  const known = new Set(reached.filter((span) => spans.has(span)));
  const sent = rows.filter(({ status }) => status === 'success' || status === 'failure');
  return [
    line('calls made by agents = records', answered.length + CRASHED_CALLS, rows.length),
    line('record and agent agree on task, status, refusal', answered.length, agreeing.length),
    line('requests at providers and agents = records', reached.length, known.size),
    line('records of calls that reached someone', reached.length + CRASHED_CALLS, sent.length),
  ];
}

function moneyFindings({ rows, served, fleetPosted }: Evidence): Finding[] {
  const spans = new Map(rows.map((row) => [row.span_id, row]));
  const unknown = rows.filter(({ error }) => error === 'outcome_unknown');
  const billed = rows.filter(({ error }) => error !== 'outcome_unknown');
  const same = served.filter((entry) => {
    const row = spans.get(entry.span);
    const tokens = entry.model === '' || entry.nanodollars === 0n;
    return (
      row?.nanodollars === entry.nanodollars &&
      (tokens || (row.tokens_in === String(entry.tokensIn) && row.tokens_out === String(entry.tokensOut)))
    );
  });
  const models = [...new Set(served.map(({ model, service }) => model || service))].sort();
  return [
    line('billed calls with the same tokens and cost', served.length, same.length),
    ...models
      .map((model) =>
        line(
          `$ for ${model}`,
          dollars(sum(served.filter((entry) => (entry.model || entry.service) === model).map(costOf))),
          dollars(sum(billed.filter((row) => (row.model || row.upstream) === model).map(costOfRow))),
        ),
      )
      .filter(({ happened, recorded }) => happened !== recorded || happened !== dollars(0n)),
    line('$ in all', dollars(sum(served.map(costOf))), dollars(sum(billed.map(costOfRow)))),
    line('calls of unknown outcome, charged their hold', CRASHED_CALLS, unknown.length),
    line(
      '$ posted by the ledger = $ recorded',
      dollars(BigInt(fleetPosted || 0)),
      dollars(sum(rows.map(costOfRow))),
    ),
  ];
}

const costOf = ({ nanodollars }: Served): bigint => nanodollars;
const costOfRow = ({ nanodollars }: Row): bigint => nanodollars;

function incidentFindings(
  { name, agent, outcomes }: (typeof INCIDENTS)[number],
  rows: readonly Row[],
): Finding[] {
  const ofTask = rows.filter(({ task_id }) => task_id === incidentTask(name));
  const planned = outcomes.map((outcome) => ({ would: '', ...outcome }));
  const text = (kinds: readonly { kind: string; calls: number }[]): string =>
    kinds
      .map(({ kind, calls }) => `${calls} ${kind}`)
      .sort()
      .join(', ');
  const found = new Map<string, number>();
  for (const row of ofTask) {
    const would = row.verdict === row.would_verdict ? '' : row.would_verdict;
    const kind =
      kindOf(row.status, row.refusal, would) + (row.agent_id === agent ? '' : ` by ${row.agent_id}`);
    found.set(kind, (found.get(kind) ?? 0) + 1);
  }
  return [
    line(
      `incident ${name}`,
      text(
        planned.map(({ status, refusal, would, calls }) => ({ kind: kindOf(status, refusal, would), calls })),
      ),
      text([...found].map(([kind, calls]) => ({ kind, calls }))),
    ),
  ];
}

const kindOf = (status: string, refusal: string, would: string): string =>
  [status, refusal, would && `would ${would}`].filter((word) => word !== '').join(' ');

function otherRefusals(rows: readonly Row[]): Finding {
  const planned = new Set(INCIDENTS.map(({ name }) => incidentTask(name)));
  const others = rows.filter(({ refusal, task_id }) => refusal !== '' && !planned.has(task_id));
  return line('refusals that nobody planned', 0, others.length);
}

/** The question an operator asks: who sends the same request again and again? */
export const LOOP_SQL = `SELECT SpanAttributes['outrider.agent'] AS agent, toString(count()) AS calls
FROM otel_traces
WHERE ScopeName = 'outrider.sidecar' AND SpanAttributes['outrider.request.body.sha256'] != ''
GROUP BY agent, SpanAttributes['outrider.task'], SpanAttributes['outrider.target'],
  SpanAttributes['outrider.request.body.sha256']
HAVING count() >= ${LOOP_FROM}`;

async function loopFinding({ fleet }: Shown): Promise<Finding> {
  const found = await ask<{ agent: string }>(fleet, LOOP_SQL);
  const { agent } = INCIDENTS.find(({ name }) => name === 'loop')!;
  return line('agents found looping by a query', agent, found.map((row) => row.agent).join(', '));
}

const ALL_ON_EACH = new Set(['research', 'social']);

function lineageFindings({ shown, rows }: Evidence): Finding[] {
  const perArticle = ROLES.reduce(
    (count, role) => count + (ALL_ON_EACH.has(role) ? membersOf(role).length : 1),
    0,
  );
  const tasks = Map.groupBy(
    rows.filter(({ task_id }) => task_id.startsWith('article-')),
    ({ task_id }) => task_id,
  );
  const whole = [...tasks.values()].filter((calls) => {
    const traces = new Set(calls.map(({ trace_id }) => trace_id));
    const agents = new Set(calls.map(({ agent_id }) => agent_id));
    return traces.size === 1 && agents.size === perArticle;
  });
  return [line(`articles that are one trace across ${perArticle} agents`, shown.articles, whole.length)];
}

async function chainFinding({ shown, rows }: Evidence): Promise<Finding> {
  const entries = await ask<{ audit_stream: string; entry: string; hash: string }>(
    shown.fleet,
    'SELECT audit_stream, audit_entry AS entry, audit_hash AS hash FROM actions ORDER BY audit_stream, audit_seq',
  );
  const streams = Map.groupBy(entries, ({ audit_stream }) => audit_stream);
  const unbroken = [...streams.values()].filter((chain) => verifyChain(chain) === null);
  const sealed = sum(unbroken.map(({ length }) => BigInt(length)));
  return line('records in unbroken hash chains', rows.length, sealed);
}

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
