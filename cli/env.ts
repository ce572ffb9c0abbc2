// `outrider env`: the variables that point an agent's libraries at its sidecar, for a shell, a compose file or JSON.

import { parseArgs } from 'node:util';
import { EXIT, type Io, UsageError } from './command.ts';
import { configOrExplain, DEFAULT_DATA, firstAgent, refuseUnknownAgent } from './process.ts';
import { writeTrustFiles } from './trust-files.ts';
import { agentVariables, otlpBeside } from './variables.ts';

export const help = `outrider env: the variables that point an agent at its sidecar

Usage: outrider env [--agent NAME] [--config FILE] [--data DIR] [--proxy URL] [--format shell|compose|json] [--json]

  --agent NAME  whose sidecar it is (OUTRIDER_AGENT; else the config's first agent)
  --proxy URL   where the sidecar listens (else the config's \`listen.proxy\`)
  --data DIR    the sidecar's (OUTRIDER_DATA; else ./.outrider): the files that say whom to trust are written into its ca/

Example: eval "$(outrider env --agent scout)"
`;

const FORMATS: Readonly<Record<string, (variables: Readonly<Record<string, string>>) => string>> = {
  shell: (variables) =>
    lines(variables, (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`),
  compose: (variables) =>
    `environment:\n${lines(variables, (name, value) => `  ${name}: ${JSON.stringify(value)}`)}`,
  json: (variables) => `${JSON.stringify({ env: variables }, null, 2)}\n`,
};

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      agent: { type: 'string' },
      config: { type: 'string' },
      data: { type: 'string' },
      proxy: { type: 'string' },
      format: { type: 'string', default: 'shell' },
      json: { type: 'boolean', default: false },
    },
  });
  const format = FORMATS[values.json ? 'json' : values.format];
  if (!format)
    throw new UsageError(`--format is one of ${Object.keys(FORMATS).join(', ')}, not ${values.format}.`);
  const config = await configOrExplain(values.config, io);
  if (!config) return EXIT.config;
  const agent = values.agent ?? io.env.OUTRIDER_AGENT ?? firstAgent(config);
  refuseUnknownAgent(config, agent);
  const trust = await writeTrustFiles(values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA);
  io.stdout(
    format(
      agentVariables(config, {
        proxy: values.proxy ?? `http://${config.listen.proxy}`,
        trust,
        otlp: otlpBeside(config.collector, config),
        given: io.env,
      }),
    ),
  );
  return EXIT.done;
}

const lines = (
  variables: Readonly<Record<string, string>>,
  line: (name: string, value: string) => string,
): string =>
  Object.entries(variables)
    .map(([name, value]) => `${line(name, value)}\n`)
    .join('');
