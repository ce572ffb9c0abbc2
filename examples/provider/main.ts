// `node examples/provider/main.ts [--port 4330]`: the practice provider on its own.

import { parseArgs } from 'node:util';
import { startProvider } from './provider.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4330' } } });
const provider = await startProvider({ port: Number(values.port) });
process.stdout.write(
  `${JSON.stringify({ event: 'ready', process: 'provider', listen: { http: provider.url } })}\n`,
);
