// `node examples/provider/main.ts [--port 4330]`: the practice provider on its own. One JSON line says that it is ready.

import { parseArgs } from 'node:util';
import { startProvider } from './provider.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4330' },
    'first-byte-ms': { type: 'string', default: '0' },
    'between-events-ms': { type: 'string', default: '0' },
  },
});
const behaviour = {
  firstByteMs: Number(values['first-byte-ms']),
  betweenEventsMs: Number(values['between-events-ms']),
};
const provider = await startProvider({ port: Number(values.port), behave: () => behaviour });
process.stdout.write(
  `${JSON.stringify({ event: 'ready', process: 'provider', listen: { http: provider.url } })}\n`,
);
