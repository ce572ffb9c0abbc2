// Calls as the store remembers them, alike ones counted together, and the subjects they were judged by. A record keeps
// what was judged, not the body: which tools were offered beside the one that decided, and a tool's arguments, are gone.

import type { Verdict } from './attributes.ts';
import type { Subject } from './rules.ts';

/** What one agent asked of one target, in a stretch of time. */
export interface RecordedCalls {
  readonly agent: string;
  readonly upstream: string;
  /** `llm_inference`, `api_call`, `tool_use`, `handoff`, or `tool_request`: what a model asked its agent to run. */
  readonly action: string;
  /** As records show it; of a tool request the tool's name. */
  readonly target: string;
  /** The model asked for; empty for anything else, and for a side endpoint. */
  readonly model: string;
  readonly calls: number;
  readonly succeeded: number;
  /** ISO 8601, UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Of the last one: what the policy said, by which rule (empty where none decided), and how it ended. */
  readonly wouldVerdict: Verdict;
  readonly rule: string;
  readonly status: string;
}

const HTTP_TARGET = /^([A-Z]+) (https?:\/\/\S+)$/;

/** Null where no rule was asked: refused before it could be judged, or an endpoint that no rule can open. */
export function subjectsOf(recorded: RecordedCalls): readonly Subject[] | null {
  const { action, target, upstream, model } = recorded;
  if (action === 'tool_request') return [{ kind: 'tool', name: target }];
  if (action === 'api_call') return httpSubject(target, upstream) ?? connectSubject(target);
  if (action === 'tool_use')
    return namedSubject(upstream, target, (tool) => ({ kind: 'mcp', upstream, tool }));
  if (action === 'handoff') return agentSubject(upstream, target);
  const llm: Subject = { kind: 'llm', upstream, model };
  if (target.startsWith('tool ')) return [llm, { kind: 'tool', name: target.slice('tool '.length) }];
  if (target.startsWith('hosted ')) {
    const type = target.slice(`hosted ${upstream}/`.length);
    return [llm, { kind: 'hosted', upstream, type }];
  }
  return target.startsWith(`${upstream}/`) ? [llm] : null;
}

/** A side method is recorded as `files (tools/list)`, and has no name. */
function namedSubject(
  upstream: string,
  target: string,
  subject: (name: string) => Subject,
): readonly Subject[] | null {
  if (target.startsWith(`${upstream} (`)) return [subject('')];
  return target.startsWith(`${upstream}/`) ? [subject(target.slice(upstream.length + 1))] : null;
}

/** Where the url to call back to decided, the record names that, and no longer the skill. */
function agentSubject(upstream: string, target: string): readonly Subject[] | null {
  const agent = (skill: string): Subject => ({ kind: 'a2a', upstream, skill });
  const [, method, url] = HTTP_TARGET.exec(target) ?? [];
  if (!method || !url || !URL.canParse(url)) return namedSubject(upstream, target, agent);
  return [agent(''), { kind: 'http', method, url, declared: false }];
}

/** What no upstream declared is recorded under its own host. */
function httpSubject(target: string, upstream: string): readonly Subject[] | null {
  const [, method, url] = HTTP_TARGET.exec(target) ?? [];
  if (!method || !url || !URL.canParse(url)) return null;
  return [{ kind: 'http', method, url, declared: upstream !== new URL(url).host }];
}

function connectSubject(target: string): readonly Subject[] | null {
  const [, host, port] = /^([^\s/]+):(\d{1,5})$/.exec(target) ?? [];
  return host && port ? [{ kind: 'connect', host, port: Number(port) }] : null;
}
