// The accounting table as text, from what the rows say: the test holds each row to what was measured, and the page to this.

import { readFileSync } from 'node:fs';
import { type AccountingRows, type NotThere, type Scenario, SITUATIONS } from './scenario.ts';

const BEGIN = '<!-- Written by `npm run docs` from test/accounting/; a test runs every cell. -->';
const END = '<!-- End of what is written. -->';
const PAGE = new URL('../../docs/accounting.md', import.meta.url);

/** docs/accounting.md with its table as it must be. Throws where the page has no place for it. */
export function accountingPage(all: readonly AccountingRows[]): string {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('docs/accounting.md has no place for the table');
  return `${page.slice(0, begin)}${BEGIN}\n\n${tableOf(all)}\n${page.slice(end)}`;
}

function tableOf(all: readonly AccountingRows[]): string {
  const notes: string[] = [];
  const lines = all.map(({ title, rows }) => {
    const cells = SITUATIONS.map((situation) => {
      const row = rows[situation];
      return 'why' in row ? `– ${noteOf(row, notes)}` : cellOf(row);
    });
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  const head = `| | ${SITUATIONS.join(' | ')} |`;
  const rule = `| --- |${' --- |'.repeat(SITUATIONS.length)}`;
  const explained = notes.map((note, index) => `${index + 1}. ${note}`);
  return [head, rule, ...lines, '', ...explained, ...(explained.length > 0 ? [''] : [])].join('\n');
}

function noteOf({ why }: NotThere, notes: string[]): string {
  if (!notes.includes(why)) notes.push(why);
  return `(${notes.indexOf(why) + 1})`;
}

function cellOf({ expected: { source, costNanodollars } }: Scenario): string {
  return costNanodollars === null ? source : `${source} ${dollars(costNanodollars)}`;
}

/** Exact: at least two digits after the point, at most nine. */
function dollars(nanodollars: bigint): string {
  const text = nanodollars.toString().padStart(10, '0');
  const fraction = text.slice(-9).replace(/0+$/, '').padEnd(2, '0');
  return `$${text.slice(0, -9)}.${fraction}`;
}
