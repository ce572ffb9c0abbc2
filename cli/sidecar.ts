// `outrider sidecar`: one agent's way out, beside a collector that runs elsewhere.

import { parseArgs } from 'node:util';
import { systemClock } from '../kit/clock.ts';
import { startSidecar } from '../sidecar/main.ts';
import { EXIT, type Io } from './command.ts';
import { followConfig } from './follow-config.ts';
import {
  announce,
  configOrExplain,
  DEFAULT_DATA,
  logTo,
  namedAgent,
  refuseUnknownAgent,
  stopSignal,
} from './process.ts';

export const help = `outrider sidecar: one agent's way out

Usage: outrider sidecar [--config FILE] [--data DIR] [--agent NAME[/INSTANCE]] [--collector URL]

  --config FILE        the config (OUTRIDER_CONFIG; else ./outrider.yaml)
  --data DIR           where the journal is kept (OUTRIDER_DATA; else ./.outrider)
  --agent NAME         all traffic is this agent's (OUTRIDER_AGENT); without it each call needs an agent key
  --collector URL      the collector's control API (OUTRIDER_COLLECTOR; else the config's)

A changed config is taken while running, as a whole, also at SIGHUP; a bad one leaves the old in force and says so.
The join token is OUTRIDER_TOKEN, else in the file that OUTRIDER_TOKEN_FILE names, else in the file \`token\` of the data
directory. The collector may come later.

Example: outrider sidecar --agent scout --collector http://127.0.0.1:4319
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      agent: { type: 'string' },
      collector: { type: 'string' },
    },
  });
  const config = await configOrExplain(values.config, io);
  if (!config) return EXIT.config;
  const log = logTo(io, 'sidecar');
  const named = namedAgent(values.agent ?? io.env.OUTRIDER_AGENT ?? '');
  refuseUnknownAgent(config, named.agent);
  const collectorUrl = values.collector ?? io.env.OUTRIDER_COLLECTOR;
  const stopped = stopSignal();
  const sidecar = await startSidecar({
    config,
    dataDirectory: values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA,
    ...named,
    ...(collectorUrl ? { collectorUrl } : {}),
    env: io.env,
    clock: systemClock,
    log,
  });
  announce(io, 'sidecar', sidecar.listen, { agent: named.agent });
  const unfollow = followConfig({
    flag: values.config,
    io,
    config,
    clock: systemClock,
    log,
    apply: (next) => sidecar.reload(next),
  });
  log.info('stopping', { signal: await stopped });
  unfollow();
  await sidecar.stop();
  return EXIT.done;
}
