// Writes dashboards/*.json from their sources. `npm run dashboards`; a test fails when a file is stale.

import { writeFile } from 'node:fs/promises';
import { DASHBOARDS } from './dashboards.ts';
import { render } from './render.ts';

for (const source of DASHBOARDS) {
  await writeFile(new URL(`${source.name}.json`, import.meta.url), render(source, DASHBOARDS));
}
