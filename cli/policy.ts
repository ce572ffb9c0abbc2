// `outrider policy`: asks about the rules without running anything. `check` reads a configuration as a start would;
// `explain` says what would become of one call, by which rule, written where.

import { parseArgs } from 'node:util';
import { closest } from '../contract/config/closest.ts';
import { agentNamed, type Config, modeOf } from '../contract/config/config.ts';
import { ConfigError, formatProblem, type Problem } from '../contract/config/problems.ts';
import { judgeOne, ruleSetOf, targetOf } from '../contract/rules/judge.ts';
import { RuleError } from '../contract/rules/rule-error.ts';
import { agentFacts, callFacts, parseSubject } from '../contract/rules/subject.ts';
import type { ConditionFacts, Subject } from '../contract/rules.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { findConfig } from './config-file.ts';

export const help = `outrider policy check   [--config F] [--json]
outrider policy explain --agent NAME SUBJECT [--args JSON] [--config F] [--json]

check     reads the configuration as a start would: all mistakes at once, or what is worth knowing.
explain   says what becomes of a call, by which rule, and where that rule is written.

Examples:
  outrider policy check --config outrider.yaml
  outrider policy explain --agent trend-scout 'llm openai/gpt-5-mini'
  outrider policy explain --agent trend-scout 'mcp files/write_page' --args '{"path":"/drafts/a.md"}'

Exit: 0 done, or the call may pass; 1 the call is refused; 2 bad usage; 78 bad configuration.
`;

const OPTIONS = {
  config: { type: 'string' },
  agent: { type: 'string' },
  args: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Never throws for what a user can mistype; returns the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    const { values, positionals } = readArguments(args);
    const [command, ...subjects] = positionals;
    if (values.help) {
      io.stdout(help);
      return EXIT.done;
    }
    if (command === 'check' && subjects.length === 0) return await check(values, io);
    if (command === 'explain') return await explain(values, subjects, io);
    throw new UsageError(`outrider policy takes check or explain: see outrider policy --help`);
  } catch (failure) {
    if (!(failure instanceof UsageError) && !(failure instanceof ConfigError)) throw failure;
    return failure instanceof ConfigError
      ? reportMistakes(failure, args.includes('--json'), io)
      : badUsage(failure, io);
  }
}

type Values = ReturnType<typeof readArguments>['values'];

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (failure) {
    throw new UsageError(failure instanceof Error ? failure.message : String(failure));
  }
}

async function check(values: Values, io: Io): Promise<number> {
  const { path, config, warnings } = await findConfig({ flag: values.config, env: io.env });
  const { notYetEnforced } = await import('../contract/config/not-yet-enforced.ts');
  const open = notYetEnforced(config);
  if (values.json) {
    io.stdout(json({ ok: true, file: path, digest: config.digest, warnings, not_yet_enforced: open }));
    return EXIT.done;
  }
  const lines = (label: string, problems: readonly Problem[]) =>
    problems.map((problem) => `${label}: ${formatProblem(problem)}\n`).join('');
  const { agents, roles, upstreams, digest } = config;
  const sizes = `${agents.size} agents, ${roles.size} roles, ${upstreams.size} upstreams`;
  io.stdout(`ok: ${path ?? 'no file, the defaults hold'} (${sizes}, digest ${digest.slice(0, 12)})\n`);
  io.stdout(lines('warning', warnings) + lines('not yet enforced', open));
  return EXIT.done;
}

async function explain(values: Values, subjects: readonly string[], io: Io): Promise<number> {
  if (values.agent === undefined || subjects.length !== 1) {
    throw new UsageError(`explain takes --agent NAME and one subject, such as 'llm openai/gpt-5-mini'`);
  }
  const { config } = await findConfig({ flag: values.config, env: io.env });
  const name = values.agent.split('/', 1)[0]!;
  const agent = agentNamed(config, name);
  if (!agent)
    throw new UsageError(`no agent is called "${name}"${hint(closest(name, config.agents.keys()))}`);
  const subject = readSubject(subjects[0]!, config);
  const args = readJson(values.args);
  const facts = (): ConditionFacts => ({
    call: callFacts(subject, config.upstreams),
    args,
    agent: agentFacts(agent, name),
    task: 'explain',
    cost: 0,
    now: new Date(),
  });
  const { verdict, rule } = judgeOne(ruleSetOf(config, agent), subject, facts);
  const where = rule && `${rule.source.file}:${rule.source.line}:${rule.source.column}`;
  const mode = modeOf(config, agent);
  const answer = { verdict, target: targetOf(subject), rule: rule?.text ?? null, where, agent: name, mode };
  io.stdout(values.json ? json(answer) : sentence(answer));
  return verdict === 'allow' || verdict === 'notify' ? EXIT.done : EXIT.failed;
}

function sentence(answer: {
  verdict: string;
  target: string;
  rule: string | null;
  where: string | null;
  mode: string;
}) {
  const because =
    answer.rule === null ? 'no rule decides it' : `rule  ${answer.rule}\n  where ${answer.where}`;
  const observed = answer.mode === 'observe' ? '\n  mode  observe: only what is prohibited is refused' : '';
  return `${answer.verdict}: ${answer.target}\n  ${because}${observed}\n`;
}

function readSubject(text: string, config: Config): Subject {
  try {
    return parseSubject(text, config.upstreams);
  } catch (failure) {
    if (failure instanceof RuleError) throw new UsageError(`${failure.message}${hint(failure.suggestion)}`);
    throw failure;
  }
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`--args takes JSON, such as '{"path":"/drafts/a.md"}'`);
  }
}

function reportMistakes(failure: ConfigError, asJson: boolean, io: Io): number {
  if (asJson) io.stdout(json({ ok: false, problems: failure.problems }));
  else io.stderr(`${failure.problems.map(formatProblem).join('\n')}\n`);
  return EXIT.config;
}

function badUsage(failure: UsageError, io: Io): number {
  io.stderr(`${failure.message}\n`);
  return EXIT.usage;
}

const hint = (suggestion: string | undefined): string =>
  suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
