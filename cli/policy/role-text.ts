// A suggested role as YAML, each rule under a comment that says what it rests on.

import { type Agent, type Config, modeOf, type RateLimit } from '../../contract/config/config.ts';
import type { RecordedCalls } from '../../contract/recorded-calls.ts';
import { ruleSetOf } from '../../contract/rules/judge.ts';
import type { LeftOut, Suggested, Suggestion } from '../../contract/suggest/suggest.ts';

/** What the agent's roles say today beside what they allow. */
export interface Kept {
  readonly mode: string | null;
  readonly notify: readonly string[];
  readonly ask: readonly string[];
  readonly deny: readonly string[];
  /** What it allows to run at the provider: records do not name what was let pass. */
  readonly hosted: readonly string[];
  /** As YAML; empty without any. */
  readonly limits: string;
  /** Rules about tools bind a role that has one. */
  readonly bindsTools: boolean;
}

export interface SuggestedRole {
  readonly agent: string;
  readonly name: string;
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly kept: Kept;
}

const NOTHING_KEPT: Kept = {
  mode: null,
  notify: [],
  ask: [],
  deny: [],
  hosted: [],
  limits: '',
  bindsTools: false,
};
const RATE_WINDOWS: Readonly<Record<number, string>> = {
  1000: 'second',
  60000: 'minute',
  3600000: 'hour',
  86400000: 'day',
};

/** Of an agent the config does not name nothing is kept. */
export function keptOf(config: Config, agent: Agent | undefined): Kept {
  if (!agent) return NOTHING_KEPT;
  const { allow, notify, ask, deny, bindsTools } = ruleSetOf(config, agent);
  const texts = (rules: typeof deny) => [...new Set(rules.map(({ text }) => text))];
  return {
    mode: agent.mode === null ? modeOf(config, agent) : null,
    notify: texts(notify),
    ask: texts(ask),
    deny: texts(deny),
    hosted: texts(allow.filter(({ kind }) => kind === 'hosted')),
    limits: limitsOf(config, agent),
    bindsTools,
  };
}

/** The sidecar takes the smallest output limit of all roles, and every rate: here stands the first of each kind. */
function limitsOf(config: Config, agent: Agent): string {
  const limits = agent.roles.flatMap((role) => config.roles.get(role)?.limits ?? []);
  const outputs = limits.map(({ maxOutputTokens }) => maxOutputTokens).filter((most) => most !== null);
  const rates = limits.flatMap((limit) => limit.rates);
  const parts = [
    outputs.length > 0 ? `max_output_tokens: ${Math.min(...outputs)}` : '',
    ...(['requests', 'tokens'] as const).map((kind) => rateText(rates.find(({ unit }) => unit === kind))),
  ].filter((part) => part !== '');
  return parts.length > 0 ? `{ ${parts.join(', ')} }` : '';
}

const rateText = (rate: RateLimit | undefined): string =>
  rate ? `${rate.unit}: ${rate.count}/${RATE_WINDOWS[rate.windowMs] ?? 'minute'}` : '';

/** Parses as a configuration file by itself: `include:` it, or paste the role. */
export function roleText(
  role: SuggestedRole,
  suggested: Suggested,
  recorded: readonly RecordedCalls[],
): string {
  const { agent, name, kept, sinceMs, nowMs } = role;
  const { allow, tools, leftOut } = suggested;
  const calls = total(recorded.filter(({ action }) => action !== 'tool_request'));
  const used = kept.notify.filter((rule) => recorded.some((seen) => seen.rule === rule));
  const lines = [
    `# What ${agent} did from ${minute(sinceMs)} to ${minute(nowMs)} (UTC): ${count(calls, 'call')}. These are the fewest rules that`,
    '# cover what worked. Written by `outrider policy suggest`: read it, then give the agent this role, and see with',
    `# \`outrider policy diff\` what that changes:   agents: { ${/^[a-z0-9]/.test(agent) ? agent : JSON.stringify(agent)}: { role: ${name} } }`,
    'roles:',
    `  ${name}:`,
    ...(kept.mode === null ? [] : [`    mode: ${kept.mode} # as today`]),
    hasAllowed(suggested, kept) ? '    allow:' : '    allow: []',
    ...allow.flatMap((suggestion) => ruleLines(suggestion, '')),
    ...toolLines(tools, kept.bindsTools),
    ...hostedLines(kept.hosted),
    ...keptLines('notify', used),
    ...keptLines('ask', kept.ask),
    ...keptLines('deny', kept.deny),
    ...(kept.limits === '' ? [] : [`    limits: ${kept.limits}`]),
    ...leftOutLines(leftOut),
  ];
  return `${lines.join('\n')}\n`;
}

const hasAllowed = ({ allow, tools }: Suggested, { bindsTools, hosted }: Kept): boolean =>
  allow.length > 0 || hosted.length > 0 || (bindsTools && tools.length > 0);

function ruleLines({ rule, seen }: Suggestion, mark: string): string[] {
  const targets = new Set(seen.map(({ target }) => target)).size;
  const failed = seen.reduce((sum, { calls, succeeded }) => sum + calls - succeeded, 0);
  const parts = [
    `${count(total(seen), 'call')}${failed > 0 ? ` (${failed} failed)` : ''}`,
    targets > 1 ? `${targets} targets` : '',
    spanOf(seen),
    `enforced today: ${todayOf(seen)}`,
  ];
  return [`      # ${parts.filter((part) => part !== '').join('; ')}`, `      ${mark}- ${scalar(rule)}`];
}

function toolLines(tools: readonly Suggestion[], binds: boolean): string[] {
  if (tools.length === 0) return [];
  const why = binds
    ? '# Tools that models asked for. Records name those alone: one that was only offered is not here.'
    : '# Tools that models asked for. A role without a tool rule lets every tool pass; with one, only those it names.';
  return [`      ${why}`, ...tools.flatMap((tool) => ruleLines(tool, binds ? '' : '# '))];
}

const hostedLines = (rules: readonly string[]): string[] =>
  rules.length === 0
    ? []
    : [
        '      # As today: records do not name what ran at the provider.',
        ...rules.map((rule) => `      - ${scalar(rule)}`),
      ];

const keptLines = (list: string, rules: readonly string[]): string[] =>
  rules.length === 0 ? [] : [`    ${list}: # as today`, ...rules.map((rule) => `      - ${scalar(rule)}`)];

function leftOutLines(leftOut: readonly LeftOut[]): string[] {
  if (leftOut.length === 0) return [];
  const lines = leftOut.map(({ seen, why }) => {
    const { target, calls, lastSeen } = seen;
    return `    #   ${oneLine(target)}: ${count(calls, 'call')}, last ${minute(Date.parse(lastSeen))}: ${oneLine(why)}`;
  });
  return ['    # Seen and left out, with the reason:', ...lines];
}

const spanOf = (seen: readonly RecordedCalls[]): string => {
  const first = Math.min(...seen.map(({ firstSeen }) => Date.parse(firstSeen)));
  const last = Math.max(...seen.map(({ lastSeen }) => Date.parse(lastSeen)));
  return minute(first) === minute(last) ? minute(last) : `${minute(first)} to ${minute(last)}`;
};

/** What the policy said of the last call of each; `deny` without a rule is what observing lets pass. */
const todayOf = (seen: readonly RecordedCalls[]): string =>
  [...new Set(seen.map(({ wouldVerdict }) => wouldVerdict))].sort().join(', ');

const total = (seen: readonly RecordedCalls[]): number => seen.reduce((sum, { calls }) => sum + calls, 0);
const count = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
/** Targets are the agent's words: nothing in them may end a comment. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, '?').slice(0, 300);

/** Bare where YAML reads it as text for sure, else in quotes. */
const scalar = (text: string): string =>
  /^[A-Za-z][\w ./:*@%~+=,;$!()'&-]*$/.test(text) && !/: |:$/.test(text) ? text : JSON.stringify(text);
