// `outrider policy`: what it prints, and the codes that scripts rely on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { keptOf, roleText } from '../../cli/policy/role-text.ts';
import { help, run } from '../../cli/policy.ts';
import { parseConfig } from '../../contract/config/parse.ts';

const SAMPLE = fileURLToPath(new URL('../contract/config/sample.yaml', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'outrider-policy-'));
const BROKEN = join(folder, 'broken.yaml');
writeFileSync(BROKEN, 'mod: x\nagents: { a: { role: r } }\n');
const AHEAD = join(folder, 'ahead.yaml');
writeFileSync(AHEAD, 'budgets: none\ncredentials: { c: { from: vault:x } }\n');
afterAll(() => rmSync(folder, { recursive: true }));

async function policy(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const io = {
    stdout(text: string) {
      out += text;
    },
    stderr(text: string) {
      err += text;
    },
    env: { OUTRIDER_CONFIG: SAMPLE },
  };
  return { code: await run(args, io), out, err };
}

const explain = (...args: string[]) => policy('explain', '--agent', 'trend-scout', ...args);

describe('outrider policy diff', () => {
  it('refuses an agent that neither file knows: a mistyped name would never fail', async () => {
    const { code, err } = await policy('diff', SAMPLE, SAMPLE, '--agent', 'trend-scuot');
    expect([code, err]).toEqual([2, 'No agent is called "trend-scuot" in either file.\n']);
  });

  it('says how far back it goes', async () => {
    const { code, err } = await policy('diff', SAMPLE, SAMPLE, '--since', '36500d');
    expect([code, err]).toEqual([2, '--since: at most 3660d.\n']);
  });
});

describe('outrider policy check', () => {
  it('says ok of the sample, all of which is enforced', async () => {
    const { code, out } = await policy('check');
    expect(code).toBe(0);
    expect(out).toMatch(/^ok: .*\n$/);
  });

  it('says ok, and what is not enforced yet', async () => {
    const { code, out } = await policy('check', '--config', AHEAD);
    expect(code).toBe(0);
    expect(out).toContain('ok: ');
    expect(out).toContain(`not yet enforced: ${AHEAD}:2:27: secrets from vault: are not enforced yet`);
  });

  it('lists all mistakes on stderr', async () => {
    const { code, out, err } = await policy('check', '--config', BROKEN);
    expect([code, out]).toEqual([78, '']);
    expect(err).toBe(
      `${BROKEN}:1:1: unknown key "mod" (did you mean "mode"?)\n${BROKEN}:2:22: no role is called "r"\n`,
    );
  });

  it('speaks JSON', async () => {
    const good = await policy('check', '--json');
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, file: SAMPLE, warnings: [] });
    const bad = await policy('check', '--json', '--config', BROKEN);
    expect(bad.code).toBe(78);
    const problem = { file: BROKEN, line: 1, column: 1, message: 'unknown key "mod"', suggestion: 'mode' };
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, problems: [problem, { line: 2 }] });
  });
});

describe('outrider policy explain', () => {
  it.each([
    ['llm openai/gpt-5-mini', 0, 'allow', 'llm openai/gpt-5-mini', 23],
    ['llm anthropic/claude-haiku-4-5-20251001', 0, 'allow', 'llm anthropic/claude-haiku-4-5*', 24],
    ['http POST https://hooks.chat.example/x', 0, 'notify', 'http POST https://hooks.chat.example/**', 29],
    ['mcp files/delete_all', 1, 'deny', 'mcp files/delete_*', 31],
    ['http DELETE https://db.internal/users', 1, 'prohibited', 'http DELETE https://db.internal/**', 6],
  ])('%s', async (subject, code, verdict, rule, line) => {
    const answer = await explain(subject, '--json');
    expect(answer.code).toBe(code);
    const { where, ...rest } = JSON.parse(answer.out) as { where: string };
    expect(rest).toMatchObject({ verdict, rule, agent: 'trend-scout', mode: 'enforce' });
    expect(where).toContain(`${SAMPLE}:${line}:`);
  });

  it('says where the rule is written', async () => {
    expect((await explain('llm openai/gpt-5-mini')).out).toBe(
      `allow: openai/gpt-5-mini\n  rule  llm openai/gpt-5-mini\n  where ${SAMPLE}:23:9\n`,
    );
  });

  it('says that nothing matched', async () => {
    const { code, out } = await explain('llm openai/gpt-5');
    expect([code, out]).toEqual([1, 'deny: openai/gpt-5\n  no rule decides it\n']);
  });

  it('weighs arguments', async () => {
    const write = (path: string) => explain('mcp files/write_page', '--args', JSON.stringify({ path }));
    expect((await write('/drafts/a')).code).toBe(0);
    expect((await write('/drafts/../etc')).out).toContain('ask: files/write_page');
  });
});

describe('bad usage', () => {
  it.each([
    [[], 'takes check, explain, suggest or diff'],
    [['explian'], 'takes check, explain, suggest or diff'],
    [['check', 'more'], 'takes check, explain, suggest or diff'],
    [['check', '--nope'], '--nope'],
    [['explain', 'llm openai/x'], 'takes --agent NAME'],
    [['explain', '--agent', 'trend-scout'], 'one subject'],
    [['suggest'], 'takes --agent NAME'],
    [['suggest', '--agent', 'trend-scout', '--since', 'long'], '--since takes a time'],
    [['suggest', '--agent', "a' OR 1"], 'No agent is called'],
    [['diff', 'one.yaml'], 'takes two files'],
    [['explain', '--agent', 'trend-scuot', 'llm openai/x'], 'did you mean "trend-scout"'],
    [['explain', '--agent', 'trend-scout', 'llm opnai/x'], 'did you mean "openai"'],
    [['explain', '--agent', 'trend-scout', 'llm openai/*'], 'without *'],
    [['explain', '--agent', 'trend-scout', 'http get'], 'takes a method and a url'],
    [['explain', '--agent', 'trend-scout', 'llm openai/x', '--args', '{'], '--args takes JSON'],
  ])('%j', async (args, sentence) => {
    const { code, out, err } = await policy(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('helps when asked', async () => {
    expect(await policy('--help')).toEqual({ code: 0, out: help, err: '' });
    expect(help).toContain('Example');
  });
});

describe('a suggested role', () => {
  it('keeps what may run at the provider: no record names what was let pass', async () => {
    const text = 'upstreams: { o: { url: https://api.openai.com, speaks: openai } }\n';
    const roles = 'roles: { r: { allow: [llm o/*, hosted o/web_search], deny: [hosted o/mcp] } }\n';
    const source = { file: 'outrider.yaml', text: `fleet: f\n${text}${roles}agents: { a: { role: r } }\n` };
    const { config } = await parseConfig([source]);
    const kept = keptOf(config, config.agents.get('a'));
    const role = { agent: 'a', name: 'seen', sinceMs: 0, nowMs: 0, kept };
    const written = roleText(role, { allow: [], tools: [], leftOut: [] }, []);
    const { config: next } = await parseConfig([
      { file: 'outrider.yaml', text: `fleet: f\n${text}${written}agents: { a: { role: seen } }\n` },
    ]);
    const texts = (list: 'allow' | 'deny') => next.roles.get('seen')?.[list].map((rule) => rule.text);
    expect([texts('allow'), texts('deny')]).toEqual([['hosted o/web_search'], ['hosted o/mcp']]);
  });
});
