// What is suggested for calls that were seen: examples a reader can check, and what holds for any.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RecordedCalls, subjectsOf } from '../../../contract/recorded-calls.ts';
import { judge } from '../../../contract/rules/judge.ts';
import { parseRule } from '../../../contract/rules/parse.ts';
import type { Subject } from '../../../contract/rules.ts';
import { suggest } from '../../../contract/suggest/suggest.ts';
import { a2a, http, llm, mcp, tool } from './calls.ts';

const HOST = 'https://api.example';
const get = (...paths: string[]) => paths.map((path) => http(`GET ${HOST}${path}`));
const post = (...paths: string[]) => paths.map((path) => http(`POST ${HOST}${path}`));
const rulesFor = (calls: readonly RecordedCalls[]) =>
  suggest(calls).allow.map(({ rule }) => rule.replace(HOST, ''));
const WORDS = ['ant', 'bee', 'cow', 'dog', 'elk'];

test('each tool, resource and prompt of a server by its name, and its side methods with any', () => {
  const called = ['files/read_file', 'files/read_dir', 'files/resource:file:///a', 'files (tools/list)'].map(
    mcp,
  );
  expect(rulesFor(called).toSorted()).toEqual([
    'mcp files/read_dir',
    'mcp files/read_file',
    'mcp files/resource:file:///a',
  ]);
  expect(suggest([mcp('files (tools/list)')])).toMatchObject({
    allow: [],
    leftOut: [{ why: expect.stringContaining('a side endpoint') }],
  });
});

test('each skill by its name, cards and tasks with any, and where an agent may call back to', () => {
  const told = ['writer/default', 'writer/summarise', 'writer (GET card)'].map((target) => a2a(target));
  const callback = a2a('POST https://hooks.example/done', 'writer');
  expect(rulesFor([...told, callback]).toSorted()).toEqual([
    'a2a writer/default',
    'a2a writer/summarise',
    'http POST https://hooks.example/done',
  ]);
});

describe('models', () => {
  test.each([
    [['gpt-5-mini'], ['gpt-5-mini']],
    [
      ['gpt-5', 'gpt-5-mini', 'gpt-5-pro'],
      ['gpt-5', 'gpt-5-mini', 'gpt-5-pro'],
    ],
    [['gpt-5-2025-08-07'], ['gpt-5-2025-08-07']],
    [['gpt-5-2025-08-07', 'gpt-5-2025-11-01'], ['gpt-5-20*']],
    [
      ['claude-haiku-4-5', 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20260101'],
      ['claude-haiku-4-5', 'claude-haiku-4-5-20*'],
    ],
  ])('%j', (models, expected) => {
    expect(rulesFor(models.map((model) => llm(`openai/${model}`)))).toEqual(
      expected.map((model) => `llm openai/${model}`),
    );
  });

  test('a side endpoint needs no rule beside a model, and cannot have one alone', () => {
    const list = llm('openai/models', { model: '' });
    expect(rulesFor([list, llm('openai/gpt-5')])).toEqual(['llm openai/gpt-5']);
    const { allow, leftOut } = suggest([list]);
    expect([allow, leftOut]).toEqual([[], [{ seen: list, why: expect.stringContaining('a side endpoint') }]]);
  });
});

describe('what came by a proxy', () => {
  test('tunnels and WebSockets have rules of their own', () => {
    const socket = http('WEBSOCKET https://live.example/v1', { upstream: 'live.example' });
    const tunnel = http('db.example:5432', { upstream: 'db.example:5432' });
    expect(rulesFor([socket, tunnel])).toEqual([
      'http WEBSOCKET https://live.example/v1',
      'connect db.example:5432',
    ]);
  });
});

describe('urls', () => {
  test.each([
    ['one path stays one path', get('/v1/items'), ['http GET /v1/items']],
    ['the host alone is one path', get('/'), ['http GET /']],
    ['one id stays exact', get('/v1/items/7'), ['http GET /v1/items/7']],
    ['numbers that vary', get('/v1/items/7', '/v1/items/8'), ['http GET /v1/items/*']],
    [
      'ids in the middle, and what is under each',
      get('/users/1/posts', '/users/2/posts', '/users/2/likes'),
      ['http GET /users/*/likes', 'http GET /users/*/posts'],
    ],
    [
      'UUIDs and digests',
      [
        ...get('/a/9b2c1f34-0000-4000-8000-1234567890ab', '/a/0e8d1f34-0000-4000-8000-1234567890ab'),
        ...get('/b/deadbeef01', '/b/deadbeef02'),
      ],
      ['http GET /a/*', 'http GET /b/*'],
    ],
    [
      'a word before and an extension after an id stay',
      get('/p/page-1.json', '/p/page-2.json'),
      ['http GET /p/page-*.json'],
    ],
    ['versions are no ids', get('/v1/items', '/v2/items'), ['http GET /v1/items', 'http GET /v2/items']],
    ['methods stay apart', [...get('/x/1', '/x/2'), ...post('/x/1')], ['http GET /x/*', 'http POST /x/1']],
    ['four words are four rules', get(...WORDS.slice(1).map((w) => `/wiki/${w}`)), 4],
    ['five words that are read', get(...WORDS.map((w) => `/wiki/${w}`)), ['http GET /wiki/*']],
    ['five words that are written', post(...WORDS.map((w) => `/wiki/${w}`)), 5],
    ['ids that are written', post('/jobs/1/run', '/jobs/2/run'), ['http POST /jobs/*/run']],
    [
      'the same thing under five words',
      get(...WORDS.map((w) => `/repos/${w}/issues`)),
      ['http GET /repos/*/issues'],
    ],
    [
      'five unlike things under a folder',
      get('/docs/a', '/docs/b/c', '/docs/d/e/f', '/docs/g/h', '/docs/i/j/k/l'),
      ['http GET /docs/**'],
    ],
    ['five words right under a host', get(...WORDS.map((w) => `/${w}`)), 5],
    [
      'a closing slash is another path',
      get('/x/', '/x/ant', ...WORDS.map((w) => `/x/${w}`)),
      ['http GET /x/', 'http GET /x/*'],
    ],
    ['what another rule covers needs none', get('/x/1', '/x/2', '/x/word'), ['http GET /x/*']],
  ])('%s', (_, calls, expected) => {
    const rules = rulesFor(calls);
    if (typeof expected === 'number') expect(rules).toHaveLength(expected);
    else expect(rules).toEqual(expected);
    expect(rules).not.toContain('http GET /**');
  });

  test('a url that holds a star is never written as a rule', () => {
    const [seen] = get('/a/*');
    expect(suggest([seen!])).toMatchObject({
      allow: [],
      leftOut: [{ seen, why: 'cannot be written as a rule' }],
    });
  });
});

describe('what is not suggested', () => {
  test.each([
    [
      http(`DELETE ${HOST}/x`, { wouldVerdict: 'prohibited', rule: 'http DELETE …' }),
      'prohibited by "http DELETE …"',
    ],
    [http(`GET ${HOST}/x`, { rule: 'http GET …' }), 'denied by "http GET …"'],
    [http(`GET ${HOST}/x`, { wouldVerdict: 'ask', rule: 'http GET …' }), 'a human is asked, by "http GET …"'],
    [http(`GET ${HOST}/x`, { succeeded: 0, status: 'refused' }), 'no rule allows it (last: refused)'],
    [
      http(`GET ${HOST}/x`, { succeeded: 0, status: 'failure', wouldVerdict: 'allow' }),
      'never succeeded (last: failure)',
    ],
    [llm('openai/gpt-5', { target: 'hosted openai/web_search' }), 'runs at the provider'],
    [llm('openai/', { target: 'POST https://api.openai.com/v1/assistants' }), 'no rule can allow it'],
    [http('GET /nowhere/x'), 'no rule can allow it'],
    [http('CONNECT closed.example:443'), 'no rule names that host'],
  ])('%#', (seen, why) => {
    const { allow, leftOut } = suggest([seen]);
    expect(allow).toEqual([]);
    expect(leftOut).toEqual([{ seen, why: expect.stringContaining(why) }]);
  });

  test('tools stand apart, each once', () => {
    const offered = llm('openai/gpt-5', { target: 'tool shell' });
    const { allow, tools } = suggest([offered, tool('read'), tool('read'), tool('shell')]);
    expect(allow.map(({ rule }) => rule)).toEqual(['llm openai/gpt-5']);
    expect(tools.map(({ rule, seen }) => [rule, seen.length])).toEqual([
      ['tool read', 2],
      ['tool shell', 2],
    ]);
  });
});

describe('for any calls', () => {
  const segment = fc.constantFrom(...WORDS, 'v1', '1', '22', '333', 'page-1', 'page-2', 'a1b2c3d4e5', '');
  const path = fc
    .array(segment, { minLength: 1, maxLength: 3 })
    .map((segments) => `/${segments.filter((one, i) => one !== '' || i === segments.length - 1).join('/')}`);
  const call = fc.oneof(
    fc
      .record({
        method: fc.constantFrom('GET', 'GET', 'POST'),
        host: fc.constantFrom('https://a.example', 'https://a.example', 'http://127.0.0.1:8080'),
        path,
        more: fc.constantFrom(
          {},
          {},
          {},
          { succeeded: 0 },
          { rule: 'x' },
          { wouldVerdict: 'allow' as const },
        ),
      })
      .map(({ method, host, path: at, more }) => http(`${method} ${host}${at}`, more)),
    fc
      .tuple(fc.constantFrom('openai', 'u'), fc.constantFrom('m', 'm-2025-01-01', 'm-2025-02-02', 'm2', ''))
      .map(([upstream, model]) => llm(`${upstream}/${model || 'models'}`, { model })),
  );
  const calls = fc.array(call, { maxLength: 60 });

  const judged = (rules: readonly string[], subjects: readonly Subject[]) => {
    const allow = rules.map((text) => parseRule(text, { file: 'f', line: 1, column: 1 }));
    const none = { prohibited: [], deny: [], ask: [], notify: [], bindsTools: false };
    return judge({ ...none, allow }, subjects, () => {
      throw new Error('no condition is suggested');
    }).verdict;
  };
  const worked = (seen: RecordedCalls) => seen.succeeded > 0 && seen.rule === '';

  test('what worked passes, or is said to be left out', () => {
    fc.assert(
      fc.property(calls, (recorded) => {
        const { allow, leftOut } = suggest(recorded);
        const rules = allow.map(({ rule }) => rule);
        const out = new Set(leftOut.map(({ seen }) => seen));
        for (const seen of recorded.filter(worked)) {
          if (!out.has(seen)) expect(judged(rules, subjectsOf(seen)!)).toBe('allow');
          else expect(seen.model).toBe('');
        }
        expect(out.size + recorded.filter((seen) => !out.has(seen)).length).toBe(recorded.length);
      }),
    );
  });

  test('another host, another method, another model is refused', () => {
    fc.assert(
      fc.property(calls, (recorded) => {
        const rules = suggest(recorded).allow.map(({ rule }) => rule);
        for (const { target, action, upstream } of recorded) {
          const [method, url] = target.split(' ');
          const others: Subject[] =
            action === 'api_call'
              ? [
                  {
                    kind: 'http',
                    method: method!,
                    url: url!.replace(/\/\/[^/]+/, '//new.example'),
                    declared: true,
                  },
                  { kind: 'http', method: 'PATCH', url: url!, declared: true },
                ]
              : [{ kind: 'llm', upstream, model: 'm-pro' }];
          for (const other of others) expect(judged(rules, [other])).toBe('deny');
        }
      }),
    );
  });

  test('without any one rule some call that worked is refused', () => {
    fc.assert(
      fc.property(calls, (recorded) => {
        const { allow } = suggest(recorded);
        for (const { rule, seen } of allow) {
          const others = allow.map((one) => one.rule).filter((one) => one !== rule);
          expect(seen.some((one) => judged(others, subjectsOf(one)!) === 'deny')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the order of the calls is nothing', () => {
    fc.assert(
      fc.property(calls, (recorded) => {
        const rules = (list: readonly RecordedCalls[]) =>
          suggest(list)
            .allow.map(({ rule }) => rule)
            .sort();
        expect(rules(recorded.toReversed())).toEqual(rules(recorded));
      }),
    );
  });
});
