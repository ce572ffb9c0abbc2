// `outrider policy explain`: what would become of one call, by which rule, written where.

import { closest } from '../../contract/config/closest.ts';
import { agentNamed, type Config, modeOf } from '../../contract/config/config.ts';
import { judgeOne, ruleSetOf, targetOf } from '../../contract/rules/judge.ts';
import { RuleError } from '../../contract/rules/rule-error.ts';
import { agentFacts, callFacts, parseSubject } from '../../contract/rules/subject.ts';
import type { ConditionFacts, Subject } from '../../contract/rules.ts';
import { EXIT, type Io, UsageError } from '../command.ts';
import { findConfig } from '../config-file.ts';
import { json, type PolicyFlags } from './flags.ts';

export async function explain(values: PolicyFlags, subjects: readonly string[], io: Io): Promise<number> {
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

const hint = (suggestion: string | undefined): string =>
  suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
