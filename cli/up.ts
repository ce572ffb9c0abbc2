// `outrider up`: collector and sidecar in one process, embedded stores, no server to install.

import { parseArgs } from 'node:util';
import { startCollector } from '../collector/main.ts';
import { systemClock } from '../kit/clock.ts';
import { createLifecycle } from '../kit/lifecycle.ts';
import { startSidecar } from '../sidecar/main.ts';
import { EXIT, type Io } from './command.ts';
import { followConfig } from './follow-config.ts';
import {
  announce,
  configOrExplain,
  DEFAULT_DATA,
  firstAgent,
  logTo,
  namedAgent,
  refuseUnknownAgent,
  STOP_MS,
  stopSignal,
} from './process.ts';

export const help = `outrider up: collector and sidecar together

Usage: outrider up [--config FILE] [--data DIR] [--agent NAME]

  --config FILE   the config (OUTRIDER_CONFIG; else ./outrider.yaml; else observe everything with agent \`default\`)
  --data DIR      where data is kept (OUTRIDER_DATA; else ./.outrider)
  --agent NAME    whose sidecar it is (OUTRIDER_AGENT; else the config's first agent)

Prints one JSON line for each process once it is ready, on stderr a link to the console, then runs until SIGTERM or
Ctrl-C. \`outrider console\` prints a fresh link.

Example: outrider up --config outrider.yaml --agent scout
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' }, data: { type: 'string' }, agent: { type: 'string' } },
  });
  const config = await configOrExplain(values.config, io);
  if (!config) return EXIT.config;
  const dataDirectory = values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA;
  const named = values.agent ?? io.env.OUTRIDER_AGENT;
  const agent = named ?? firstAgent(config);
  refuseUnknownAgent(config, namedAgent(agent).agent);
  const log = logTo(io, 'up');
  if (named === undefined)
    log.info('agent.chosen', { agent, why: "the config's first; choose with --agent" });
  const stopped = stopSignal();
  const lifecycle = createLifecycle(log);
  try {
    const collector = await startCollector({
      config,
      dataDirectory,
      log: logTo(io, 'collector'),
      token: io.env.OUTRIDER_TOKEN || undefined,
      env: io.env,
      clock: systemClock,
    });
    lifecycle.onStop('collector', () => collector.close());
    announce(io, 'collector', collector.listen);
    const sidecar = await startSidecar({
      config,
      dataDirectory,
      ...namedAgent(agent),
      collectorUrl: collector.listen.control,
      otlpUrl: collector.listen.otlp,
      env: io.env,
      clock: systemClock,
      log: logTo(io, 'sidecar'),
    });
    lifecycle.onStop('sidecar', () => sidecar.stop());
    announce(io, 'sidecar', sidecar.listen, { agent });
    const unfollow = followConfig({
      flag: values.config,
      io,
      config,
      clock: systemClock,
      log,
      async apply(next) {
        await sidecar.reload(next);
        collector.reload(next);
      },
    });
    lifecycle.onStop('config', () => unfollow());
    io.stderr(`The console, for one browser within ten minutes: ${await collector.consoleLink()}\n`);
    log.info('stopping', { signal: await stopped });
    return EXIT.done;
  } finally {
    await lifecycle.stop(STOP_MS + config.drainMs);
  }
}
