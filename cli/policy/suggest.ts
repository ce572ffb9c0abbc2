// `outrider policy suggest`: the smallest rules that cover what an agent did, printed as a role to paste into
// outrider.yaml, or to keep as a file that it includes. What the agent's roles refuse today is carried over.

import { agentNamed, type Config } from '../../contract/config/config.ts';
import type { RecordedCalls } from '../../contract/recorded-calls.ts';
import { type Suggested, type Suggestion, suggest } from '../../contract/suggest/suggest.ts';
import { EXIT, type Io, UsageError } from '../command.ts';
import { findConfig } from '../config-file.ts';
import { json, type PolicyFlags } from './flags.ts';
import { readSince, recordedCalls } from './recorded.ts';
import { type Kept, keptOf, roleText } from './role-text.ts';

/** Exits 1 when nothing was seen: there is nothing to write a role from. */
export async function suggestRole(values: PolicyFlags, rest: readonly string[], io: Io): Promise<number> {
  const { agent } = values;
  if (agent === undefined || rest.length > 0)
    throw new UsageError('suggest takes --agent NAME, and --since 7d.');
  const nowMs = Date.now();
  const sinceMs = readSince(values.since, nowMs);
  const { config } = await findConfig({ flag: values.config, env: io.env });
  const recorded = await recordedCalls({ agent, sinceMs }, values.url, io);
  if (recorded.length === 0) {
    io.stderr(`Nothing is recorded of ${agent} since ${new Date(sinceMs).toISOString()}.\n`);
    return EXIT.failed;
  }
  const suggested = suggest(recorded);
  const kept = keptOf(config, config.agents.get(agent) ?? agentNamed(config, agent));
  const role = { agent, name: roleNameFor(agent, config), sinceMs, nowMs, kept };
  io.stdout(values.json ? json(answerOf(role, suggested)) : roleText(role, suggested, recorded));
  return EXIT.done;
}

/** The agent's own name, without stars; another where a role is called so already. */
function roleNameFor(agent: string, config: Config): string {
  const plain = agent.replaceAll('*', '').replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'suggested';
  return config.roles.has(plain) ? `${plain}-seen` : plain;
}

function answerOf(role: { agent: string; name: string; sinceMs: number; kept: Kept }, suggested: Suggested) {
  const { agent, name, sinceMs, kept } = role;
  const shown = ({ rule, seen }: Suggestion) => ({ rule, ...evidenceOf(seen) });
  return {
    agent,
    role: name,
    since: new Date(sinceMs).toISOString(),
    allow: suggested.allow.map(shown),
    tools: suggested.tools.map(shown),
    binds_tools: kept.bindsTools,
    kept: {
      notify: kept.notify,
      ask: kept.ask,
      deny: kept.deny,
      hosted: kept.hosted,
      limits: kept.limits,
    },
    left_out: suggested.leftOut.map(({ seen, why }) => ({ target: seen.target, why, ...evidenceOf([seen]) })),
  };
}

function evidenceOf(seen: readonly RecordedCalls[]) {
  return {
    calls: seen.reduce((sum, { calls }) => sum + calls, 0),
    targets: new Set(seen.map(({ target }) => target)).size,
    first_seen: seen.map(({ firstSeen }) => firstSeen).sort()[0],
    last_seen: seen
      .map(({ lastSeen }) => lastSeen)
      .sort()
      .at(-1),
    today: [...new Set(seen.map(({ wouldVerdict }) => wouldVerdict))],
  };
}
