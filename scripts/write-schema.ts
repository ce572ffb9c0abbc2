// Writes contract/outrider.schema.json from the definition that the parser uses, so editors know every key.
// `node scripts/write-schema.ts`; a test fails when the committed file is stale.

import { writeFile } from 'node:fs/promises';
import { jsonSchemaText } from '../contract/config/json-schema.ts';

await writeFile(new URL('../contract/outrider.schema.json', import.meta.url), jsonSchemaText());
