// The smallest rules that cover what an agent did. What its rules deny, ask for or prohibit stays so, what never worked is
// left out, and each is said with its reason. Every rule comes back with the calls it rests on.

import { type RecordedCalls, subjectsOf } from '../recorded-calls.ts';
import { parseRule } from '../rules/parse.ts';
import { RuleError } from '../rules/rule-error.ts';
import type { Rule, Subject } from '../rules.ts';
import { modelPatterns } from './models.ts';
import { pathPatterns } from './paths.ts';

export interface Suggested {
  readonly allow: readonly Suggestion[];
  /** Tools that models asked for; rules about them bind only a role that has one. */
  readonly tools: readonly Suggestion[];
  readonly leftOut: readonly LeftOut[];
}

export interface Suggestion {
  readonly rule: string;
  readonly seen: readonly RecordedCalls[];
}

export interface LeftOut {
  readonly seen: RecordedCalls;
  readonly why: string;
}

type Wanted = { readonly seen: RecordedCalls; readonly subject: Subject };

const ALLOWED_KINDS: ReadonlySet<Subject['kind']> = new Set(['llm', 'mcp', 'a2a', 'http', 'connect']);
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

export function suggest(recorded: readonly RecordedCalls[]): Suggested {
  const wanted: Wanted[] = [];
  const leftOut: LeftOut[] = [];
  for (const seen of recorded) {
    const subjects = subjectsOf(seen);
    const why = whyNot(seen, subjects);
    if (why !== null) leftOut.push({ seen, why });
    else for (const subject of subjects ?? []) wanted.push({ seen, subject });
  }
  const candidates = [
    ...llmRules(wanted),
    ...namedRules(wanted),
    ...httpRules(wanted),
    ...connectRules(wanted),
  ];
  const calls = wanted.filter(({ subject }) => ALLOWED_KINDS.has(subject.kind));
  const { allow, uncovered } = covering(candidates, calls);
  leftOut.push(...uncovered.map((seen) => ({ seen, why: whyUncovered(seen) })));
  return { allow, tools: toolSuggestions(wanted), leftOut };
}

/** Null where the call is to pass. */
function whyNot(seen: RecordedCalls, subjects: readonly Subject[] | null): string | null {
  const { wouldVerdict, rule } = seen;
  if (wouldVerdict === 'prohibited') return `prohibited by "${rule}"`;
  if (subjects === null) return whyUnjudged(seen);
  if (wouldVerdict === 'deny' && rule === '' && subjects.some(({ kind }) => kind === 'hosted'))
    return 'runs at the provider, out of sight: write that rule yourself if it may';
  if (wouldVerdict === 'deny' && rule !== '') return `denied by "${rule}"`;
  if (seen.succeeded === 0 && wouldVerdict === 'deny') return `no rule allows it (last: ${seen.status})`;
  if (wouldVerdict === 'ask') return `a human is asked, by "${rule}"`;
  if (wouldVerdict === 'notify') return `passes already, someone is told by "${rule}"`;
  if (seen.action !== 'tool_request' && seen.succeeded === 0) return `never succeeded (last: ${seen.status})`;
  return null;
}

const whyUnjudged = ({ target, status }: RecordedCalls): string =>
  target.startsWith('CONNECT ')
    ? `not let in: no rule names that host, or the client does not trust \`outrider ca\` (last: ${status})`
    : 'no rule can allow it: not an endpoint that can be metered and judged';

const whyUncovered = ({ model, target }: RecordedCalls): string =>
  model === '' && !/^[A-Z]+ /.test(target)
    ? 'a side endpoint: open with any model, tool or skill of its upstream, and none was called'
    : 'cannot be written as a rule';

function llmRules(wanted: readonly Wanted[]): string[] {
  const models = new Map<string, string[]>();
  for (const { subject } of wanted) {
    if (subject.kind !== 'llm' || subject.model === '' || /[*\s]/.test(subject.model)) continue;
    models.set(subject.upstream, [...(models.get(subject.upstream) ?? []), subject.model]);
  }
  return [...models].flatMap(([upstream, names]) =>
    modelPatterns(names).map((pattern) => `llm ${upstream}/${pattern}`),
  );
}

/** Each tool and skill by its own name: two that begin alike need not do alike. */
const namedRules = (wanted: readonly Wanted[]): string[] =>
  wanted.flatMap(({ subject }) => {
    if (subject.kind !== 'mcp' && subject.kind !== 'a2a') return [];
    const name = subject.kind === 'mcp' ? subject.tool : subject.skill;
    return name === '' || /[*\s]/.test(name) ? [] : [`${subject.kind} ${subject.upstream}/${name}`];
  });

const connectRules = (wanted: readonly Wanted[]): string[] =>
  wanted.flatMap(({ subject }) =>
    subject.kind === 'connect' ? [`connect ${subject.host}:${subject.port}`] : [],
  );

function httpRules(wanted: readonly Wanted[]): string[] {
  const paths = new Map<string, Set<string>>();
  for (const { subject } of wanted) {
    if (subject.kind !== 'http' || subject.url.includes('*')) continue;
    const { origin, pathname } = new URL(subject.url);
    const door = `${subject.method} ${origin}`;
    paths.set(door, (paths.get(door) ?? new Set()).add(pathname));
  }
  return [...paths].flatMap(([door, found]) =>
    pathPatterns(found, READING.has(door.split(' ', 1)[0]!)).map((pattern) => `http ${door}${pattern}`),
  );
}

function toolSuggestions(wanted: readonly Wanted[]): Suggestion[] {
  const tools = wanted.flatMap(({ seen, subject }) =>
    subject.kind === 'tool' ? [{ seen, name: subject.name }] : [],
  );
  return [...Map.groupBy(tools, ({ name }) => name)]
    .filter(([name]) => !/[*\s]/.test(name))
    .map(([name, found]) => ({ rule: `tool ${name}`, seen: found.map(({ seen }) => seen) }))
    .sort((a, b) => (a.rule < b.rule ? -1 : 1));
}

/** Of the candidates as few as cover everything: one is dropped when the others cover all it does, the narrowest first. */
function covering(
  candidates: readonly string[],
  calls: readonly Wanted[],
): { allow: Suggestion[]; uncovered: RecordedCalls[] } {
  const rules = [...new Set(candidates)].flatMap((text) => {
    const rule = compiled(text);
    return rule ? [{ text, found: calls.filter(({ subject }) => rule.matches(subject)) }] : [];
  });
  const times = new Map(calls.map((call) => [call, 0]));
  for (const { found } of rules) for (const call of found) times.set(call, times.get(call)! + 1);
  const kept = new Set(rules);
  for (const rule of rules.toSorted((a, b) => a.found.length - b.found.length)) {
    if (rule.found.some((call) => times.get(call) === 1)) continue;
    kept.delete(rule);
    for (const call of rule.found) times.set(call, times.get(call)! - 1);
  }
  const allow = [...kept].map(({ text, found }) => ({ rule: text, seen: found.map(({ seen }) => seen) }));
  return { allow, uncovered: calls.filter((call) => times.get(call) === 0).map(({ seen }) => seen) };
}

/** Undefined for a path or name that no rule may hold. */
function compiled(text: string): Rule | undefined {
  try {
    return parseRule(text, { file: 'suggested', line: 1, column: 1 });
  } catch (failure) {
    if (failure instanceof RuleError) return undefined;
    throw failure;
  }
}
