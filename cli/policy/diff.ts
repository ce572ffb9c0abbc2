// `outrider policy diff OLD NEW`: what the second file would do to everything that was recorded, against the first.

import { agentNamed, type Config } from '../../contract/config/config.ts';
import { CHANGES, type Change, type Changed, diffPolicies, type Fate } from '../../contract/policy-diff.ts';
import type { RecordedCalls } from '../../contract/recorded-calls.ts';
import { EXIT, type Io, UsageError } from '../command.ts';
import { findConfig } from '../config-file.ts';
import { json, type PolicyFlags } from './flags.ts';
import { readSince, recordedCalls } from './recorded.ts';

/** Changes alike in the entry that rules the agent, in kind and in deciding rules, told once. */
interface Group {
  readonly change: Change;
  /** The entry of the new config, else of the old, else the agent itself. */
  readonly entry: string;
  readonly agents: number;
  readonly before: Fate;
  readonly after: Fate;
  readonly calls: number;
  readonly targets: readonly string[];
  readonly lastSeen: string;
}

const EXAMPLES_MAX = 3;
const HEADINGS: Readonly<Record<Change, string>> = {
  now_refused: 'NOW REFUSED',
  now_allowed: 'NOW ALLOWED',
  not_decided: 'NOT DECIDED (hangs on arguments, cost or time, which records do not keep)',
  other_rule: 'DECIDED OTHERWISE, to the same end',
};

/** Exits 1 when something that passes under OLD would be refused under NEW. */
export async function diff(values: PolicyFlags, files: readonly string[], io: Io): Promise<number> {
  const [oldFile, newFile] = files;
  if (oldFile === undefined || newFile === undefined || files.length > 2)
    throw new UsageError('diff takes two files: outrider policy diff OLD NEW.');
  const sinceMs = readSince(values.since, Date.now());
  const before = (await findConfig({ flag: oldFile, env: io.env })).config;
  const after = (await findConfig({ flag: newFile, env: io.env })).config;
  mustBeKnown(values.agent, before, after);
  const recorded = await recordedCalls({ agent: values.agent, sinceMs }, values.url, io);
  const groups = grouped(diffPolicies(before, after, recorded), (agent) => entryOf(agent, after, before));
  const weighed = {
    calls: total(recorded),
    targets: recorded.length,
    since: new Date(sinceMs).toISOString(),
  };
  io.stdout(values.json ? json({ ...weighed, changes: groups.map(lineOf) }) : textOf(groups, weighed));
  return groups.some(({ change }) => change === 'now_refused') ? EXIT.failed : EXIT.done;
}

/** A mistyped name would be a check that never fails. */
function mustBeKnown(agent: string | undefined, ...configs: readonly Config[]): void {
  if (agent === undefined || configs.some((config) => config.agents.has(agent) || agentNamed(config, agent)))
    return;
  throw new UsageError(`No agent is called "${agent}" in either file.`);
}

const entryOf = (agent: string, ...configs: readonly Config[]): string =>
  configs.map((config) => agentNamed(config, agent)?.pattern).find((pattern) => pattern !== undefined) ??
  agent;

function grouped(changed: readonly Changed[], entryFor: (agent: string) => string): Group[] {
  const keyOf = ({ change, seen, before, after }: Changed) =>
    JSON.stringify([change, entryFor(seen.agent), before, after]);
  return [...Map.groupBy(changed, keyOf).values()]
    .map((alike) => {
      const { change, before, after } = alike[0]!;
      const seen = alike.map((one) => one.seen).sort((a, b) => b.calls - a.calls);
      const lastSeen = seen
        .map((one) => one.lastSeen)
        .sort()
        .at(-1)!;
      const targets = [...new Set(seen.map(nameOf))];
      const agents = new Set(seen.map(({ agent }) => agent)).size;
      const entry = entryFor(seen[0]!.agent);
      return { change, entry, agents, before, after, calls: total(seen), targets, lastSeen };
    })
    .sort((a, b) => CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) || b.calls - a.calls);
}

const nameOf = ({ action, target }: RecordedCalls): string =>
  action === 'tool_request' ? `tool ${target}` : target;
const total = (recorded: readonly RecordedCalls[]): number =>
  recorded.reduce((sum, { calls }) => sum + calls, 0);

function lineOf({ change, entry, agents, before, after, calls, targets, lastSeen }: Group) {
  return { change, agent: entry, agents, calls, targets, last_seen: lastSeen, before, after };
}

function textOf(
  groups: readonly Group[],
  weighed: { calls: number; targets: number; since: string },
): string {
  const { calls, targets, since } = weighed;
  const what = `${calls.toLocaleString('en-US')} recorded calls of ${targets.toLocaleString('en-US')} kinds since ${since.slice(0, 16).replace('T', ' ')}`;
  if (groups.length === 0) return `${what}: nothing changes.\n`;
  const sections = CHANGES.flatMap((change) => {
    const found = groups.filter((group) => group.change === change);
    return found.length === 0 ? [] : [`\n${HEADINGS[change]}\n${found.map(groupText).join('')}`];
  });
  return `${what}.\n${sections.join('')}\nRules and modes are weighed, not budgets, rates or prices.\n`;
}

function groupText({ entry, agents, before, after, calls, targets, lastSeen }: Group): string {
  const more = targets.length - EXAMPLES_MAX;
  const shown = targets.slice(0, EXAMPLES_MAX).join(', ') + (more > 0 ? `, and ${more} more` : '');
  const times = `${calls.toLocaleString('en-US')} ${calls === 1 ? 'call' : 'calls'}`;
  const who = agents === 1 ? '' : ` of ${agents} agents`;
  return `  ${entry}  ${shown}\n    ${times}${who}, last ${lastSeen.slice(0, 16).replace('T', ' ')}\n    - ${fateText(before)}\n    + ${fateText(after)}\n`;
}

function fateText({ verdict, rule, observing, open }: Fate): string {
  const why = rule ?? (verdict === 'allow' ? 'no rule binds it' : 'no rule allows it');
  const hanging = open.map((text) => `; depends on "${text}"`).join('');
  return `${verdict}: ${why}${observing ? ' (observed)' : ''}${hanging}`;
}
