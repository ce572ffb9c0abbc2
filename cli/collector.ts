// `outrider collector`: the fleet's ledger and memory.

import { parseArgs } from 'node:util';
import { startCollector } from '../collector/main.ts';
import { systemClock } from '../kit/clock.ts';
import { EXIT, type Io } from './command.ts';
import { followConfig } from './follow-config.ts';
import { announce, configOrExplain, DEFAULT_DATA, logTo, stopSignal } from './process.ts';

export const help = `outrider collector: the fleet's ledger and memory

Usage: outrider collector [--config FILE] [--data DIR]

  --config FILE   the config (OUTRIDER_CONFIG; else ./outrider.yaml)
  --data DIR      where data is kept (OUTRIDER_DATA; else ./.outrider); the join token is written there

A changed config is taken while running, as a whole, also at SIGHUP; a bad one leaves the old in force and says so.

Example: outrider collector --config outrider.yaml --data /var/lib/outrider
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' }, data: { type: 'string' } },
  });
  const config = await configOrExplain(values.config, io);
  if (!config) return EXIT.config;
  const log = logTo(io, 'collector');
  const dataDirectory = values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA;
  const stopped = stopSignal();
  const collector = await startCollector({
    config,
    dataDirectory,
    log,
    token: io.env.OUTRIDER_TOKEN || undefined,
    env: io.env,
    clock: systemClock,
  });
  announce(io, 'collector', collector.listen);
  const unfollow = followConfig({
    flag: values.config,
    io,
    config,
    clock: systemClock,
    log,
    apply: (next) => collector.reload(next),
  });
  log.info('stopping', { signal: await stopped });
  unfollow();
  await collector.close();
  return EXIT.done;
}
