// Writes the pages of docs/ that are made from declarations. `npm run docs`; a test fails when a page is stale.

import { writeFile } from 'node:fs/promises';
import { metricsPage } from './metrics-page.ts';

await writeFile(new URL('../docs/metrics.md', import.meta.url), metricsPage());
