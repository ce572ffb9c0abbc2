// `node make-postgres.ts DIRECTORY`: what the collector does there at its first start, and nothing more.

import { openPglite } from '../../collector/control/pglite.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('Say where: node make-postgres.ts DIRECTORY');
const thread = await openPglite(directory);
await thread.ask('close', '', []);
await thread.terminate();
