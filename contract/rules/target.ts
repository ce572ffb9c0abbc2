// The target of a rule, compiled once: what each kind of rule matches, and whether it could match anything at all among
// the upstreams there are.

import { type DialectName, LLM_DIALECTS } from '../attributes.ts';
import { closest } from '../config/closest.ts';
import type { Rule, RuleKind, Subject } from '../rules.ts';
import { bareModel } from './bare-model.ts';
import { compileName, type Matcher } from './glob.ts';
import { compileHost } from './host.ts';
import { compileHttp } from './http-target.ts';
import { RuleError } from './rule-error.ts';

export interface KnownUpstream {
  readonly url: string;
  readonly speaks: DialectName;
}

export interface TargetContext {
  /** The upstreams there are, undefined where one is not right itself; without them a rule is only checked for itself. */
  readonly upstreams: ReadonlyMap<string, KnownUpstream | undefined> | undefined;
  /** The rule stands under prohibited, deny or ask: in doubt it matches. */
  readonly refuses: boolean;
}

type Matches = (subject: Subject) => boolean;
type Target = Pick<Rule, 'matches' | 'reaches' | 'concerns'>;

const NO = (): boolean => false;

const DIALECTS_OF: Readonly<Record<'llm' | 'mcp' | 'a2a' | 'hosted', readonly DialectName[]>> = {
  llm: LLM_DIALECTS,
  mcp: ['mcp'],
  a2a: ['a2a'],
  hosted: LLM_DIALECTS,
};

export function compileTarget(kind: RuleKind, target: string, context: TargetContext): Target {
  if (kind === 'http') return httpTarget(target, context);
  if (kind === 'connect') return { matches: connectTarget(target, context), reaches: NO, concerns: NO };
  if (target.includes(' ')) throw new RuleError(`${kind} takes one target, and then "when" with a condition`);
  return kind === 'tool' ? toolTarget(target, context) : upstreamTarget(kind, target, context);
}

/** Any model may be offered it. */
function toolTarget(target: string, { upstreams }: TargetContext): Target {
  const matches = compileName(target);
  return {
    matches: (subject) => subject.kind === 'tool' && matches(subject.name),
    reaches: NO,
    concerns: (upstream) => LLM_DIALECTS.some((llm) => llm === upstreams?.get(upstream)?.speaks),
  };
}

/** `upstream/name`, where after the upstream's name `*` matches `/` too. */
function upstreamTarget(kind: keyof typeof DIALECTS_OF, target: string, context: TargetContext): Target {
  const [upstream, ...rest] = target.split('/');
  if (!upstream || rest.length === 0)
    throw new RuleError(`${kind} takes upstream/name, such as ${EXAMPLES[kind]}`);
  const pattern = rest.join('/');
  const isUri = kind === 'mcp' && pattern.startsWith('resource:');
  if (rest.includes('') && !isUri)
    throw new RuleError(`"${target}" can never match: it holds an empty segment`);
  const matchesUpstream = compileName(upstream);
  if (context.upstreams) mustReach(kind, upstream, matchesUpstream, context.upstreams);
  const named = compileName(pattern);
  const matchesName: Matcher =
    kind === 'llm' && context.refuses ? (name) => named(name) || named(bareModel(name)) : named;
  // A side endpoint names no model, tool or skill. Any rule that opens some opens it; only one against all closes it.
  const coversNameless = kind !== 'hosted' && (!context.refuses || /^\*+$/.test(pattern));
  const matches: Matches = (subject) => {
    if (subject.kind !== kind || !matchesUpstream(upstreamOf(subject))) return false;
    const name = nameOf(subject);
    return name === '' ? coversNameless : matchesName(name);
  };
  return { matches, reaches: NO, concerns: matchesUpstream };
}

const EXAMPLES = {
  llm: 'llm openai/gpt-5-mini',
  mcp: 'mcp files/read_*',
  a2a: 'a2a writer/summarise',
  hosted: 'hosted openai/web_search',
} as const;

function mustReach(
  kind: keyof typeof DIALECTS_OF,
  upstream: string,
  matches: Matcher,
  upstreams: ReadonlyMap<string, KnownUpstream | undefined>,
): void {
  const reached = [...upstreams].filter(([name]) => matches(name));
  const fits = (known?: KnownUpstream) => !known || DIALECTS_OF[kind].includes(known.speaks);
  if (reached.length === 0) {
    const names = [...upstreams].filter(([, known]) => fits(known)).map(([name]) => name);
    throw new RuleError(`no upstream is called "${upstream}"`, closest(upstream, names));
  }
  if (!reached.some(([, known]) => fits(known))) {
    const [name, known] = reached[0]!;
    throw new RuleError(
      `${kind} rules can never match the upstream "${name}", which speaks ${known?.speaks}`,
    );
  }
}

const upstreamOf = (subject: Subject): string => ('upstream' in subject ? subject.upstream : '');

function nameOf(subject: Subject): string {
  if (subject.kind === 'llm') return subject.model;
  if (subject.kind === 'mcp') return subject.tool;
  if (subject.kind === 'a2a') return subject.skill;
  return subject.kind === 'hosted' ? subject.type : '';
}

function httpTarget(target: string, { upstreams, refuses }: TargetContext): Target {
  const [method, url, ...rest] = target.split(' ');
  if (!method || !url || rest.length > 0) {
    throw new RuleError('http takes a method and a url, such as http GET https://api.example.com/v1/**');
  }
  const { matches, reaches, origin, pathStart } = compileHttp(method, url, refuses);
  for (const [name, upstream] of upstreams ?? []) {
    if (!upstream || !LLM_DIALECTS.includes(upstream.speaks)) continue;
    if (origin === null || !isWithin(origin, pathStart, upstream.url)) continue;
    throw new RuleError(
      `an http rule can never match the upstream "${name}": it speaks ${upstream.speaks}, write an llm rule`,
    );
  }
  return { matches: (subject) => subject.kind === 'http' && matches(subject), reaches, concerns: NO };
}

function isWithin(origin: string, pathStart: string, upstreamUrl: string): boolean {
  const { origin: itsOrigin, pathname } = new URL(upstreamUrl);
  return (
    origin === itsOrigin && `${pathStart}/`.startsWith(pathname.endsWith('/') ? pathname : `${pathname}/`)
  );
}

/** A tunnel is not read, so none leads to where a dialect is metered. */
function connectTarget(target: string, { upstreams, refuses }: TargetContext): Matches {
  const match = /^(.+):(\d{1,5})$/.exec(target);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65_535) {
    throw new RuleError('connect takes host:port, such as connect db.example.com:5432');
  }
  const host = compileHost(match[1]!);
  for (const [name, upstream] of upstreams ?? []) {
    if (refuses || !upstream || upstream.speaks === 'http') continue;
    if (host.exact === null || !isAt(upstream.url, host.exact, port)) continue;
    throw new RuleError(
      `a connect rule can never match the upstream "${name}": it speaks ${upstream.speaks}, which is always read`,
    );
  }
  return (subject) =>
    subject.kind === 'connect' && subject.port === port && host.matches(subject.host.toLowerCase());
}

function isAt(url: string, host: string, port: number): boolean {
  const at = new URL(url);
  return at.hostname === host && Number(at.port || (at.protocol === 'https:' ? 443 : 80)) === port;
}
