// `outrider mode`: the fire exit. An agent that enforcing stops can be let observe for a while, and one that observes be
// held to its rules, without touching a file; who, why and until when is on record.

import { parseArgs } from 'node:util';
import { MODES, type Mode } from '../contract/attributes.ts';
import { readDuration } from '../contract/config/units.ts';
import type { ModeLine, ModeOrder } from '../contract/mode.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';

export const help = `outrider mode: let an agent observe or enforce for a while

Usage: outrider mode [--json]
       outrider mode observe --agent NAME --for TIME --reason TEXT
       outrider mode enforce --agent NAME [--for TIME] --reason TEXT
       outrider mode restore --agent NAME

  --agent NAME      an agent, or an entry of the config with * for all agents it rules
  --for TIME        90s, 30m, 2h: then the config's mode holds again; observing lasts 24h at most,
                    enforcing without --for until it is restored
  --reason TEXT     kept on record, with who you are by your join token
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Observing still refuses what is prohibited. A sidecar follows within two seconds; one that starts while the
collector is away is in the mode its config says.

Example: outrider mode observe --agent trend-scout --for 1h --reason "new search API, rules follow"
`;

const OPTIONS = {
  agent: { type: 'string' },
  for: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [action, ...rest] = positionals;
  const mode = MODES.find((known) => known === action);
  if (rest.length > 0 || (action !== undefined && action !== 'restore' && !mode))
    throw new UsageError(
      'Write `outrider mode`, `outrider mode observe|enforce …` or `outrider mode restore …`.',
    );
  const order = mode && orderFrom(mode, values);
  const taken = order ? ['agent', 'for', 'reason'] : action === 'restore' ? ['agent'] : [];
  refuseIdleFlags(values, taken, ['mode', action].filter(Boolean).join(' '));
  const agent = action === 'restore' ? named(values.agent) : '';
  const collector = collectorClient(values, io);
  if (order) await put(collector, order, values.json, io);
  else if (action === 'restore') await restore(collector, agent, values.json, io);
  else await list(collector, values.json, io);
  return EXIT.done;
}

function orderFrom(mode: Mode, values: { agent?: string; for?: string; reason?: string }): ModeOrder {
  const reason = values.reason?.trim();
  if (!reason) throw new UsageError('Say why with --reason TEXT: it is kept on record.');
  if (values.for === undefined && mode === 'observe')
    throw new UsageError(
      'Say for how long with --for TIME, such as --for 1h: observing always ends by itself.',
    );
  return { agent: named(values.agent), mode, for_ms: durationFrom(values.for), reason };
}

function named(agent: string | undefined): string {
  if (agent) return agent;
  throw new UsageError('Say whose mode with --agent NAME.');
}

function durationFrom(text: string | undefined): number | null {
  if (text === undefined) return null;
  const read = readDuration(text);
  if ('mistake' in read) throw new UsageError(`--for: ${read.mistake}.`);
  if (read.value === 0) throw new UsageError('--for: write more than zero.');
  return read.value;
}

async function put(collector: CollectorClient, order: ModeOrder, json: boolean, io: Io): Promise<void> {
  const line = await collector.post<ModeLine>('/v1/modes', order);
  if (json) return io.stdout(`${JSON.stringify(line, null, 2)}\n`);
  const until = line.until === null ? 'until it is restored' : `until ${line.until}`;
  const configured = line.configured === null ? '' : `; the config says ${line.configured}`;
  io.stdout(`${line.agent} is in mode ${line.mode} ${until}${configured}.\n`);
}

async function restore(collector: CollectorClient, agent: string, json: boolean, io: Io): Promise<void> {
  await collector.delete(`/v1/modes/${encodeURIComponent(agent)}`);
  io.stdout(json ? '{}\n' : `${agent} is in the mode its config says.\n`);
}

async function list(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<ModeLine[]>('/v1/modes');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0) return io.stdout('Every agent is in the mode its config says.\n');
  const head = ['AGENT', 'MODE', 'CONFIG SAYS', 'UNTIL', 'BY', 'REASON'];
  const cells = ({ agent, mode, configured, until, actor, reason }: ModeLine) => [
    agent,
    mode,
    configured ?? 'nothing',
    until ?? 'restored',
    actor,
    reason,
  ];
  io.stdout(table([head, ...lines.map(cells)]));
}
