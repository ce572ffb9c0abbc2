// Verdicts as data: rules, subjects, arguments, and what comes of them by which rule.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../contract/attributes.ts';
import { loadConditions } from '../../../contract/rules/condition.ts';
import { couldAllow, judge } from '../../../contract/rules/judge.ts';
import { parseRule } from '../../../contract/rules/parse.ts';
import { RuleError } from '../../../contract/rules/rule-error.ts';
import type { KnownUpstream } from '../../../contract/rules/target.ts';
import type { RuleSet, Subject } from '../../../contract/rules.ts';

interface Case {
  readonly id: string;
  readonly rules: Partial<Record<Verdict, readonly string[]>>;
  readonly subjects: readonly Subject[];
  readonly args?: unknown;
  readonly verdict: Verdict;
  readonly rule: string | null;
  readonly target?: string;
}

interface Mistake {
  readonly id: string;
  readonly rule: string;
  readonly message: string;
  readonly suggestion?: string;
}

const read = <Row>(name: string): Row[] =>
  readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

const SOURCE = { file: 'c.yaml', line: 1, column: 1 };
const compileCondition = await loadConditions();

function ruleSet(rules: Case['rules']): RuleSet {
  const parsed = (verdict: Verdict) =>
    (rules[verdict] ?? []).map((text) =>
      parseRule(text, SOURCE, { compileCondition, refuses: !['allow', 'notify'].includes(verdict) }),
    );
  const own = { deny: parsed('deny'), ask: parsed('ask'), notify: parsed('notify'), allow: parsed('allow') };
  const bindsTools = Object.values(own).some((list) => list.some(({ kind }) => kind === 'tool'));
  return { prohibited: parsed('prohibited'), ...own, bindsTools };
}

describe('judge', () => {
  it.each(read<Case>('config-rules.jsonl'))('$id', ({ rules, subjects, args, verdict, rule, target }) => {
    const [first] = subjects;
    const facts = () => ({
      call: {
        upstream: 'openai',
        model: first?.kind === 'llm' ? first.model : '',
        method: 'POST',
        path: '/',
      },
      args: args ?? {},
      agent: { name: 'a', roles: ['writer'], department: '' },
      task: 't',
      cost: 0,
      now: new Date('2026-03-01T12:00:00Z'),
    });
    const judgement = judge(ruleSet(rules), subjects, facts);
    expect({ verdict: judgement.verdict, rule: judgement.rule }).toEqual({ verdict, rule });
    if (target !== undefined) expect(judgement.target).toBe(target);
  });

  it('asks for the facts once, and only when a condition has to be weighed', () => {
    let asked = 0;
    const facts = () => {
      asked += 1;
      return { call: {}, args: {}, agent: {}, task: 't', cost: 0, now: new Date(0) };
    };
    const subject: Subject = { kind: 'llm', upstream: 'openai', model: 'x' };
    judge(ruleSet({ allow: ['llm openai/*'], deny: ['llm other/* when task == "t"'] }), [subject], facts);
    expect(asked).toBe(0);
    const twice = { deny: ['llm openai/* when task == "u"', 'llm openai/x when task == "v"'] };
    judge(ruleSet(twice), [subject, subject], facts);
    expect(asked).toBe(1);
  });

  it('weighs each subject on facts of its own', () => {
    const wanted = ['/drafts/a', '/etc/passwd'].map((path) => ({
      kind: 'mcp' as const,
      upstream: 'files',
      tool: 'read',
      path,
    }));
    const facts = ({ path }: { path: string }) => {
      return { call: {}, args: { path }, agent: {}, task: 't', cost: 0, now: new Date(0) };
    };
    const allow = ['mcp files/read when args.path.startsWith("/drafts/")'];
    expect(judge(ruleSet({ allow }), wanted.slice(0, 1), facts).verdict).toBe('allow');
    expect(judge(ruleSet({ allow }), wanted, facts).verdict).toBe('deny');
    expect(judge(ruleSet({ allow }), wanted.toReversed(), facts).verdict).toBe('deny');
  });
});

describe('a rule that cannot stand', () => {
  const upstreams = new Map<string, KnownUpstream>([
    ['openai', { url: 'https://api.openai.com', speaks: 'openai' }],
    ['azure', { url: 'https://gate.example/azure', speaks: 'openai' }],
    ['files', { url: 'http://127.0.0.1:3001/mcp', speaks: 'mcp' }],
    ['search', { url: 'https://api.search.example', speaks: 'http' }],
  ]);

  it.each(read<Mistake>('config-rule-mistakes.jsonl'))('$id', ({ rule, message, suggestion }) => {
    const parse = () => parseRule(rule, SOURCE, { compileCondition, upstreams });
    expect(parse).toThrow(RuleError);
    expect(parse).toThrow(message);
    if (suggestion === undefined) return;
    expect(parse).toThrow(expect.objectContaining({ suggestion }));
  });
});

describe('what a list may show', () => {
  const tool = (name: string): Subject => ({ kind: 'mcp', upstream: 'files', tool: name });
  const rules = ruleSet({
    prohibited: ['mcp files/wipe'],
    deny: ['mcp files/delete_*', 'mcp files/write_* when args.path == "/"'],
    ask: ['mcp files/move_*'],
    allow: ['mcp files/*_all', 'mcp files/read_* when args.path == "/drafts"', 'mcp files/write_*'],
  });
  it.each([
    ['wipe', false],
    ['delete_all', false],
    ['write_file', true],
    ['move_file', true],
    ['read_file', true],
    ['list', false],
  ])('%s: %s', (name, shown) => {
    expect(couldAllow(rules, tool(name))).toBe(shown);
  });
});
