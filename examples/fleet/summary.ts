// The end of the demo, for people: the month's figures beside the reference fleet's, and what was held against what.

import type { Finding } from './finding.ts';
import type { Evidence } from './findings.ts';
import { MONTH_HOURS, REFERENCE } from './plan.ts';
import type { Row } from './records.ts';
import { seconds } from './run.ts';

export interface Figure {
  readonly figure: string;
  readonly reference: string;
  readonly here: string;
}

/** What incidents cost is no part of an article. With fewer articles than a month's, a month is reckoned from them. */
export function figuresOf({ shown, rows, served }: Evidence): Figure[] {
  const { articles, published, toPublishedMs, flowMs } = shown;
  const months = articles / REFERENCE.articles;
  const ordinary = rows.filter(({ task_id }) => task_id.startsWith('article-'));
  const dollars = ordinary.reduce((sum, { nanodollars }) => sum + Number(nanodollars), 0) / 1e9;
  const tokens = ordinary.reduce(
    (sum, row) => sum + Number(row.tokens_in ?? 0) + Number(row.tokens_out ?? 0),
    0,
  );
  const hourMs = flowMs / months / MONTH_HOURS;
  const medianMs = [...toPublishedMs].sort((a, b) => a - b)[Math.floor(toPublishedMs.length / 2)] ?? 0;
  const waiting = rows.filter(({ status }) => status === 'escalated').length;
  const hours = `${(medianMs / hourMs).toFixed(1)} h`;
  return [
    ['articles a month', String(REFERENCE.articles), inAMonth(published, months)],
    ['$ per article', `$${REFERENCE.dollarsPerArticle}`, `$${(dollars / articles).toFixed(2)}`],
    ['tokens a month', millions(REFERENCE.tokens), millions(tokens / months)],
    [
      'brief to published',
      `${REFERENCE.hoursToPublished} h`,
      `${hours}: ${seconds(medianMs)}, and an hour is ${seconds(hourMs)}`,
    ],
    [
      'sent back once',
      `${REFERENCE.reworkedShare * 100} %`,
      `${((100 * reworked(ordinary)) / articles).toFixed(1)} %`,
    ],
    ['waiting for a human', '', `${waiting} calls`],
    ['calls', '', `${rows.length}, ${served.length} of them answered by providers`],
  ].map(([figure, reference, here]) => ({ figure: figure!, reference: reference!, here: here! }));
}

const inAMonth = (count: number, months: number): string =>
  months === 1 ? String(count) : `${count}, at the pace of ${Math.round(count / months)}`;

/** Articles whose draft a writer put into the CMS a second time. */
function reworked(rows: readonly Row[]): number {
  const drafts = rows.filter(
    ({ upstream, agent_id }) => upstream === 'cms' && agent_id.startsWith('writer-'),
  );
  return drafts.length - new Set(drafts.map(({ task_id }) => task_id)).size;
}

const millions = (tokens: number): string => `${(tokens / 1e6).toFixed(1)} M`;

export function summaryText(figures: readonly Figure[], findings: readonly Finding[]): string {
  const different = findings.filter(({ ok }) => !ok).length;
  return [
    'The month, beside the reference fleet',
    ...table([
      ['', 'reference', 'here'],
      ...figures.map(({ figure, reference, here }) => [figure, reference, here]),
    ]),
    '',
    'What happened, beside what was recorded',
    ...table([
      ['', 'happened', 'recorded', ''],
      ...findings.map(({ about, happened, recorded, ok }) => [
        about,
        happened,
        recorded,
        ok ? 'ok' : 'DIFFERENT',
      ]),
    ]),
    '',
    different === 0 ? 'Every line agrees.' : `${different} of ${findings.length} lines differ.`,
    '',
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  );
}
