// What a configuration means once it is parsed: the sample of the design, every default, merging, digest, frozenness.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config, ConfigSource } from '../../../contract/config/config.ts';
import { agentNamed } from '../../../contract/config/config.ts';
import { defaultConfig } from '../../../contract/config/default-config.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import { ConfigError, formatProblem } from '../../../contract/config/problems.ts';
import { policyDigest } from '../../../contract/policy.ts';

const SAMPLE = readFileSync(new URL('./sample.yaml', import.meta.url), 'utf8');
const MINUTE_MS = 60_000;

const parse = (...texts: string[]) =>
  parseConfig(texts.map((text, index): ConfigSource => ({ file: `${index}.yaml`, text })));

async function mistakes(...texts: string[]): Promise<readonly string[]> {
  const failure: unknown = await parse(...texts).catch((error: unknown) => error);
  if (failure instanceof ConfigError) return failure.problems.map(formatProblem);
  throw failure;
}

async function warnings(text: string): Promise<readonly string[]> {
  return (await parse(text)).warnings.map(formatProblem);
}

describe('the sample of the design', async () => {
  const { config, warnings: warned } = await parse(SAMPLE);

  it('parses without a warning', () => expect(warned).toEqual([]));

  it('knows its money to the nanodollar', () => {
    expect(config.budgets).toEqual([{ unit: 'nanodollars', limit: 3_700_000_000_000n, window: 'month' }]);
    const scout = config.agents.get('trend-scout');
    expect(scout?.taskBudgets).toEqual([{ unit: 'nanodollars', limit: 10_000_000_000n, window: 'task' }]);
    expect(config.prices).toEqual([
      {
        target: 'openai/our-finetune',
        free: false,
        inputPicodollars: 1_250_000n,
        cachedInputPicodollars: 125_000n,
        cacheWritePicodollars: null,
        outputPicodollars: 10_000_000n,
        callNanodollars: null,
        maxOutput: 16_384,
        contextWindow: null,
      },
      expect.objectContaining({ target: 'search', callNanodollars: 5_000_000n, inputPicodollars: null }),
      expect.objectContaining({ target: 'anthropic/local-*', free: true }),
    ]);
  });

  it('knows its agents, in the order of the file', () => {
    expect([...config.agents.keys()]).toEqual(['trend-scout', 'pr-*']);
    expect(config.agents.get('trend-scout')).toMatchObject({
      roles: ['researcher'],
      department: 'marketing',
      owner: 'content-leads',
      version: '1.4.0',
      expectedTaskMs: 30 * MINUTE_MS,
      key: null,
    });
    expect(agentNamed(config, 'pr-17')?.key).toEqual({ from: 'env', locator: 'PR_AGENT_KEY' });
  });

  it('knows where calls go, with what and for how long', () => {
    expect(config.upstreams.get('search')).toEqual({
      name: 'search',
      url: 'https://api.search.example',
      speaks: 'http',
      credential: 'search',
      pricedAs: null,
      rates: [],
      declared: true,
      timeouts: { connectMs: 5000, firstByteMs: 2 * MINUTE_MS, idleMs: 2 * MINUTE_MS, totalMs: 20_000 },
    });
    expect(config.credentials.get('search')).toEqual({
      name: 'search',
      secret: { from: 'file', locator: '/run/secrets/search' },
      header: 'x-api-key',
    });
  });

  it('knows where each rule stands', () => {
    const [rule] = config.roles.get('researcher')?.ask ?? [];
    expect(rule).toMatchObject({
      kind: 'mcp',
      when: '!path_within(args.path, "/drafts")',
      source: { file: '0.yaml', line: 30, column: 11 },
    });
  });
});

describe('defaults', () => {
  it('of an almost empty file are those without a file, but it enforces', async () => {
    const { config } = await parse('agents: {}\n');
    const { digest, sources, mode, agents, upstreams, ...rest } = config;
    const without: Partial<Config> = { ...defaultConfig() };
    for (const key of ['digest', 'sources', 'mode', 'agents', 'upstreams'] as const) delete without[key];
    expect(rest).toEqual(without);
    expect([mode, agents.size, upstreams.size]).toEqual(['enforce', 0, 0]);
  });

  it('without a file observe the three providers with the agent’s own keys', () => {
    const config = defaultConfig();
    expect(config.mode).toBe('observe');
    expect([...config.agents.keys()]).toEqual(['default']);
    const seen = [...config.upstreams.values()].map(({ url, speaks, credential }) => [
      url,
      speaks,
      credential,
    ]);
    expect(seen).toEqual([
      ['https://api.openai.com', 'openai', 'agent'],
      ['https://api.anthropic.com', 'anthropic', 'agent'],
      ['https://generativelanguage.googleapis.com', 'gemini', 'agent'],
    ]);
  });
});

describe('values', () => {
  it('keep the digits that were typed', async () => {
    const { config } = await parse(
      [
        'upstreams: { u: { url: "HTTPS://API.Example:443/v1/", speaks: openai } }',
        'agents: { "7": { version: 1.10 }, b: { version: 2 } }',
        'prices: { u/x: { input: 0.1, output: 0.30, call: $0.000000001 } }',
        'budgets: [1.5M tokens/day, $0/hour]',
      ].join('\n'),
    );
    expect(config.upstreams.get('u')?.url).toBe('https://api.example/v1');
    expect([...config.agents].map(([name, agent]) => [name, agent.version])).toEqual([
      ['7', '1.10'],
      ['b', '2'],
    ]);
    expect(config.prices[0]).toMatchObject({
      inputPicodollars: 100_000n,
      outputPicodollars: 300_000n,
      callNanodollars: 1n,
    });
    expect(config.budgets).toEqual([
      { unit: 'tokens', limit: 1_500_000n, window: 'day' },
      { unit: 'nanodollars', limit: 0n, window: 'hour' },
    ]);
  });

  it('of agents stay in the order of the file, numbers too', async () => {
    const { config } = await parse('agents: { zed: {}, "10": {}, "9": {} }');
    expect([...config.agents.keys()]).toEqual(['zed', '10', '9']);
  });

  it('listen elsewhere when that is asked for by name', async () => {
    const { config } = await parse('listen: { proxy: "0.0.0.0:4320", insecure: true }');
    expect(config.listen).toMatchObject({ proxy: '0.0.0.0:4320', admin: '127.0.0.1:4321', insecure: true });
  });
});

describe('the entry of an agent', async () => {
  const { config } = await parse('agents: { pr-*: {}, pr-docs-*: {}, pr-docs-1: {}, "*-x": {} }');

  it.each([
    ['pr-docs-1', 'pr-docs-1'],
    ['pr-docs-2', 'pr-docs-*'],
    ['pr-7', 'pr-*'],
    ['a-x', '*-x'],
    ['other', undefined],
    ['pr-*', undefined],
    ['pr-a/b', undefined],
    ['pr-A', undefined],
    ['pr-%2F', undefined],
    [`pr-${'a'.repeat(62)}`, undefined],
  ])('%s is %s', (name, pattern) => expect(agentNamed(config, name)?.pattern).toBe(pattern));
});

describe('included files', () => {
  it('are merged by name', async () => {
    const { config } = await parse('roles: { r: {} }\nagents: { a: {} }', 'agents: { b: { role: r } }');
    expect([...config.agents.keys()]).toEqual(['a', 'b']);
  });

  it('may not define a name twice, and both places are named', async () => {
    expect(await mistakes('agents:\n  a: {}', 'agents:\n  a: {}')).toEqual([
      '1.yaml:2:3: "a" is already defined at 0.yaml:2:3',
    ]);
    expect(await mistakes('mode: observe', 'mode: enforce')).toEqual([
      '1.yaml:1:1: "mode" is already defined at 0.yaml:1:1',
    ]);
  });

  it('may not include others, and their mistakes come with those of the main file, in its order', async () => {
    expect(await mistakes('mod: x', 'include: [z.yaml]', 'agents: { a: { role: r } }')).toEqual([
      '0.yaml:1:1: unknown key "mod" (did you mean "mode"?)',
      '1.yaml:1:1: an included file cannot include others',
      '2.yaml:1:22: no role is called "r"',
    ]);
  });
});

describe('warnings', () => {
  const base = 'roles: { r: {} }\n';

  it('BUD-05: tell where nothing limits the money', async () => {
    const sentence = 'nothing limits what "a" spends: give it a budget, or write budgets: none';
    expect(await warnings(`${base}agents: { a: { role: r } }`)).toEqual([`0.yaml:2:11: ${sentence}`]);
  });

  it.each([
    'budgets: none\nagents: { a: { role: r } }',
    'budgets: [$1/day]\nagents: { a: { role: r } }',
    'agents: { a: { role: r, budgets: none } }',
    'agents: { a: { role: r, budgets: [$1/day] } }',
    'departments: { d: { budgets: [1k tokens/day] } }\nagents: { a: { role: r, department: d } }',
    'departments: { d: { budgets: none } }\nagents: { a: { role: r, department: d } }',
  ])('are silent where something does, or none is meant: %s', async (text) => {
    expect(await warnings(base + text)).toEqual([]);
  });

  it('tell of keys that pass through and of agents without a role', async () => {
    const upstream = 'upstreams: { u: { url: https://u.example, speaks: openai, credential: agent } }';
    const found = await warnings(`budgets: none\n${upstream}\nagents: { a: {} }`);
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('0.yaml:2:59: calls to "u" carry whatever credential the agent sends');
    expect(found[1]).toContain('0.yaml:3:11: "a" has no role');
  });

  it('tell that bodies are kept of dead letters alone', async () => {
    const text =
      'capture: { bodies: full }\nroles: { r: { capture: { bodies: redacted } }, s: { capture: { bodies: none } } }';
    const found = await warnings(`${text}\nbudgets: none\nagents: { a: { role: r } }`);
    expect(found).toEqual([
      '0.yaml:1:12: of dead letters alone bodies are kept (full): of every other call only their hash',
      '0.yaml:2:15: of dead letters alone bodies are kept (redacted): of every other call only their hash',
    ]);
  });
});

describe('the digest', () => {
  const sources = [
    { file: 'conf/outrider.yaml', text: 'fleet: a' },
    { file: 'conf/agents/a.yaml', text: 'agents: {}' },
  ];

  it('is 64 hex digits and the same from whatever folder the files are read', () => {
    expect(policyDigest(sources)).toMatch(/^[0-9a-f]{64}$/);
    const elsewhere = sources.map(({ file, text }) => ({
      file: file.replace('conf/', '/etc/outrider/'),
      text,
    }));
    expect(policyDigest(elsewhere)).toBe(policyDigest(sources));
  });

  it('changes with a text, a name and the order', () => {
    const [first, second] = sources as [ConfigSource, ConfigSource];
    const others = [
      [{ ...first, text: 'fleet: b' }, second],
      [first, { ...second, file: 'conf/b.yaml' }],
      [second, first],
    ];
    const digests = [sources, ...others].map(policyDigest);
    expect(new Set(digests).size).toBe(4);
  });
});

describe('a parsed configuration', () => {
  it('is frozen all the way down', async () => {
    const { config } = await parse(SAMPLE);
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      const members = value instanceof Map ? value : Object.entries(value);
      for (const [key, member] of members) visit(member, `${path}.${String(key)}`);
    };
    visit(config, 'config');
    expect(open).toEqual([]);
    const agents = config.agents as Map<string, unknown>;
    expect(() => agents.set('x', {})).toThrow('frozen');
    expect(() => agents.clear()).toThrow('frozen');
  });
});

describe('the parser', () => {
  it('throws nothing but ConfigError, whatever becomes of a file, and every problem has a place', async () => {
    const junk = [
      '{',
      '}',
      '[',
      ']',
      ':',
      '\n',
      '  ',
      '"',
      '*',
      '&a ',
      '!!x ',
      'null',
      '-1',
      '\t',
      '__proto__: ',
      '%',
    ];
    const edit = fc.tuple(fc.nat(SAMPLE.length), fc.nat(12), fc.constantFrom('', ...junk));
    const run = async (edits: readonly (readonly [number, number, string])[]) => {
      const text = edits.reduce(
        (old, [at, cut, put]) => old.slice(0, at) + put + old.slice(at + cut),
        SAMPLE,
      );
      const failure: unknown = await parse(text).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) return;
      expect(failure).toBeInstanceOf(ConfigError);
      for (const { line, column, message } of (failure as ConfigError).problems) {
        expect(Math.min(line, column)).toBeGreaterThan(0);
        expect(message).not.toMatch(/undefined|Invalid input|\[object/);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), run), { numRuns: 300 });
  });
});
