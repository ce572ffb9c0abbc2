// Tools that run at the provider and urls that it fetches, as data: what a request wants, and what rules say to it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../contract/refusals.ts';
import { loadConditions } from '../../contract/rules/condition.ts';
import { judge } from '../../contract/rules/judge.ts';
import { parseRule } from '../../contract/rules/parse.ts';
import type { RuleSet } from '../../contract/rules.ts';
import { parseStrict } from '../../kit/strict-json.ts';
import type { Classified } from '../../sidecar/call.ts';
import { anthropic } from '../../sidecar/dialects/anthropic.ts';
import type { Json, JsonObject } from '../../sidecar/dialects/dialect.ts';
import { gemini } from '../../sidecar/dialects/gemini.ts';
import { openai } from '../../sidecar/dialects/openai.ts';
import { factsOf, wantedBy } from '../../sidecar/wanted.ts';

interface HostedCase {
  readonly id: string;
  readonly path: string;
  readonly body: JsonObject;
  readonly allow: readonly string[];
  readonly deny?: readonly string[];
  readonly verdict?: string;
  readonly target?: string;
  readonly refusal?: string;
}

const cases = <T>(name: string): T[] =>
  readFileSync(new URL(`../cases/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const compileCondition = await loadConditions();
const SOURCE = { file: 'c.yaml', line: 1, column: 1 };
const rule = (text: string, refuses: boolean) => parseRule(text, SOURCE, { compileCondition, refuses });

function ruleSet(allow: readonly string[], deny: readonly string[]): RuleSet {
  const own = {
    prohibited: [],
    deny: deny.map((text) => rule(text, true)),
    ask: [],
    notify: [],
    allow: ['llm u/m', ...allow].map((text) => rule(text, false)),
  };
  return { ...own, bindsTools: own.allow.some(({ kind }) => kind === 'tool') };
}

/** A call as far as rules see it. */
function classified(path: string, body: JsonObject): Classified {
  const dialect = path.includes(':') ? gemini : path === '/v1/messages' ? anthropic : openai;
  const head = { method: 'POST', path, query: '', headers: {} };
  const bytes = Buffer.from(JSON.stringify(body));
  const json = parseStrict(bytes) as JsonObject;
  return {
    to: { kind: 'upstream', name: 'u' },
    upstream: { name: 'u', speaks: dialect.name, url: 'https://u.example' },
    agent: { name: 'a', entry: { roles: ['r'], department: null } },
    lineage: { task: 't' },
    description: dialect.describe(dialect.recognise(head)!, head, json, bytes),
    method: 'POST',
    head,
    json,
  } as unknown as Classified;
}

describe('hosted tools', () => {
  it.each(cases<HostedCase>('hosted-tools.jsonl'))('$id', ({ path, body, allow, deny = [], ...expected }) => {
    const judged = () => {
      const call = classified(path, body);
      return judge(ruleSet(allow, deny), wantedBy(call), (wanted) => factsOf(call, wanted, new Date(0)));
    };
    if (expected.refusal) return expect(codeOf(judged)).toBe(expected.refusal);
    const { verdict, target } = judged();
    expect(verdict).toBe(expected.verdict);
    if (expected.target) expect(target).toBe(expected.target);
  });
});

/** The code of the refusal it throws; null when it throws none. */
function codeOf(work: () => unknown): string | null {
  try {
    work();
  } catch (failure) {
    if (failure instanceof Refusal) return failure.code;
    throw failure;
  }
  return null;
}

/** Every place where a url stands that the provider fetches. */
const PLACES: Readonly<Record<string, (url: Json) => [path: string, body: JsonObject]>> = {
  'a picture in a chat': (url) => [
    '/v1/chat/completions',
    { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] },
  ],
  'a picture in a response': (url) => [
    '/v1/responses',
    { model: 'm', input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] },
  ],
  'a file in a response': (url) => [
    '/v1/responses',
    { model: 'm', input: [{ role: 'user', content: [{ type: 'input_file', file_url: url }] }] },
  ],
  'a film for a model server': (url) => [
    '/v1/chat/completions',
    { model: 'm', messages: [{ role: 'user', content: [{ type: 'video_url', video_url: { url } }] }] },
  ],
  'a picture in a message': (url) => [
    '/v1/messages',
    {
      model: 'm',
      max_tokens: 1,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }],
    },
  ],
  'a file for Gemini': (url) => [
    '/v1beta/models/m:generateContent',
    { contents: [{ role: 'user', parts: [{ fileData: { fileUri: url } }] }] },
  ],
  "a document in a tool's result": (url) => [
    '/v1/messages',
    {
      model: 'm',
      max_tokens: 1,
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't',
              content: [{ type: 'document', source: { type: 'url', url } }],
            },
          ],
        },
      ],
    },
  ],
};

describe.each(Object.entries(PLACES))('%s by url', (_, requestWith) => {
  it.each(cases<{ id: string; url: Json; refusal: string | null }>('fetched-urls.jsonl'))(
    '$id',
    ({ url, refusal }) => {
      expect(codeOf(() => classified(...requestWith(url)))).toBe(refusal);
    },
  );
});
