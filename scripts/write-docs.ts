// Writes the pages of docs/ that are made from declarations, and the table of docs/accounting.md from the rows that a test
// runs. `npm run docs`; a test fails when a page is stale.

import { writeFile } from 'node:fs/promises';
import { allRows } from '../test/accounting/all-rows.ts';
import { withReserved } from '../test/accounting/reserved/figures.ts';
import { accountingPage } from '../test/accounting/table.ts';
import { metricsPage } from './metrics-page.ts';

await writeFile(new URL('../docs/metrics.md', import.meta.url), metricsPage());
const accounting = withReserved(accountingPage(await allRows()));
await writeFile(new URL('../docs/accounting.md', import.meta.url), accounting);
