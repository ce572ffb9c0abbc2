// `outrider tools`: which definition of each tool holds, which servers changed one, and the word that takes the change.

import { parseArgs } from 'node:util';
import type { ToolLine } from '../contract/tool.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, UsageError } from './command.ts';

export const help = `outrider tools: which definition of each tool holds

Usage: outrider tools [--json]
       outrider tools accept UPSTREAM/TOOL

The first definition of a tool that any list of its server holds is pinned for the fleet: its name, description,
schemas and annotations. When a server shows another one, the tool is hidden from lists and its calls are refused, until the
change is accepted.

  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Example: outrider tools accept files/read_file
`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;
const DIGEST_CHARACTERS = 12;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [action, name, ...rest] = positionals;
  if (action === undefined) await list(collectorClient(values, io), values.json, io);
  else if (action === 'accept' && name !== undefined && rest.length === 0)
    await accept(collectorClient(values, io), name, values.json, io);
  else throw new UsageError('Write `outrider tools` or `outrider tools accept UPSTREAM/TOOL`.');
  return EXIT.done;
}

async function accept(collector: CollectorClient, name: string, json: boolean, io: Io): Promise<void> {
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1)
    throw new UsageError(`${name} is no tool; write UPSTREAM/TOOL, such as files/read_file.`);
  const named = { upstream: name.slice(0, slash), tool: name.slice(slash + 1) };
  const line = await collector.post<ToolLine>('/v1/tools/accept', named);
  if (json) return io.stdout(`${JSON.stringify(line, null, 2)}\n`);
  io.stdout(`${name} is pinned to ${short(line.digest)}, accepted by ${line.accepted_by}.\n`);
}

async function list(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<ToolLine[]>('/v1/tools');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0) return io.stdout('No agent was shown a tool yet.\n');
  const head = ['TOOL', 'STATE', 'DIGEST', 'SEEN', 'SINCE', 'ACCEPTED BY'];
  const cells = ({ upstream, tool, state, digest, seen_digest, since, accepted_by }: ToolLine) => [
    `${upstream}/${tool}`,
    state,
    short(digest),
    seen_digest === null ? '' : short(seen_digest),
    since,
    accepted_by,
  ];
  io.stdout(table([head, ...lines.map(cells)]));
}

const short = (digest: string): string => digest.slice(0, DIGEST_CHARACTERS);
