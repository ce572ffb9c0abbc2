// What a person types to ask about a call, `llm openai/gpt-5-mini` or `http GET https://…`, and the facts that follow
// from a subject alone. Written as a rule is, without stars.

import { closest } from '../config/closest.ts';
import type { Agent, Config, Upstream } from '../config/config.ts';
import { type ConditionFacts, RULE_KINDS, type Subject } from '../rules.ts';
import { RuleError } from './rule-error.ts';

/** Throws RuleError with one sentence. `upstreams` say which urls are declared. */
export function parseSubject(text: string, upstreams: Config['upstreams']): Subject {
  const [kindText = '', ...words] = text.trim().split(/\s+/);
  const kind = RULE_KINDS.find((known) => known === kindText);
  if (!kind)
    throw new RuleError(
      `a subject begins with one of ${RULE_KINDS.join(', ')}`,
      closest(kindText, RULE_KINDS),
    );
  const target = words.join(' ');
  if (target === '') throw new RuleError(`"${kind}" needs a target`);
  if (target.includes('*')) throw new RuleError('a subject is one call: write it without *');
  if (kind === 'tool') return { kind, name: target };
  if (kind === 'http') return httpSubject(words, upstreams);
  if (kind === 'connect') return connectSubject(target);
  const [upstream = '', ...rest] = target.split('/');
  const name = rest.join('/');
  if (upstream === '' || name === '') throw new RuleError(`${kind} takes upstream/name`);
  if (!upstreams.has(upstream)) {
    throw new RuleError(`no upstream is called "${upstream}"`, closest(upstream, upstreams.keys()));
  }
  if (kind === 'llm') return { kind, upstream, model: name };
  if (kind === 'mcp') return { kind, upstream, tool: name };
  return kind === 'a2a' ? { kind, upstream, skill: name } : { kind, upstream, type: name };
}

function httpSubject(words: readonly string[], upstreams: Config['upstreams']): Subject {
  const [method, text, ...rest] = words;
  if (!method || !text || rest.length > 0 || !/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new RuleError('http takes a method and a url, such as http GET https://api.example.com/v1/items');
  }
  const { origin, pathname } = new URL(text);
  const url = `${origin}${pathname}`;
  return {
    kind: 'http',
    method: method.toUpperCase(),
    url,
    declared: declaring(url, upstreams) !== undefined,
  };
}

function connectSubject(target: string): Subject {
  const match = /^(.+):(\d{1,5})$/.exec(target);
  if (!match) throw new RuleError('connect takes host:port');
  return { kind: 'connect', host: match[1]!.toLowerCase(), port: Number(match[2]) };
}

/**
 * What a condition's `call` holds as far as a subject shows it, in the words of CALL_WORDS; a real call knows the rest.
 * `upstreams` say which one a url belongs to.
 */
export function callFacts(subject: Subject, upstreams: Config['upstreams']): ConditionFacts['call'] {
  const { kind: _, ...facts } = subject;
  if (subject.kind !== 'http') return facts;
  const upstream = declaring(subject.url, upstreams)?.name ?? '';
  return { upstream, method: subject.method, path: new URL(subject.url).pathname };
}

/** What a condition's `agent` holds, in the words of AGENT_WORDS. */
export function agentFacts(agent: Agent, name: string): ConditionFacts['agent'] {
  return { name, roles: agent.roles, department: agent.department ?? '' };
}

function declaring(url: string, upstreams: Config['upstreams']): Upstream | undefined {
  return [...upstreams.values()].find((known) => url === known.url || url.startsWith(`${known.url}/`));
}
