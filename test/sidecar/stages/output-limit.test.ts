// The most a model may write, in every dialect: what a role allows at all, and what a rule may ask of a call.

import { describe, expect, it } from 'vitest';
import { loadConditions } from '../../../contract/rules/condition.ts';
import { judge } from '../../../contract/rules/judge.ts';
import { parseRule } from '../../../contract/rules/parse.ts';
import type { Authorized, Classified } from '../../../sidecar/call.ts';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import { bedrock } from '../../../sidecar/dialects/bedrock.ts';
import type { Dialect, JsonObject } from '../../../sidecar/dialects/dialect.ts';
import { gemini } from '../../../sidecar/dialects/gemini.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';
import { reserve } from '../../../sidecar/stages/reserve.ts';
import { factsOf, wantedBy } from '../../../sidecar/wanted.ts';

const SAID = [{ role: 'user', content: 'hi' }];
const CLAUDE = 'anthropic.claude-haiku-4-5-20251001-v1:0';
type Shape = readonly [name: string, dialect: Dialect, path: string, body: (most: number) => JsonObject];
const SHAPES: readonly Shape[] = [
  [
    'chat',
    openai,
    '/v1/chat/completions',
    (most) => ({ model: 'm', messages: SAID, max_completion_tokens: most }),
  ],
  [
    'chat, as it was',
    openai,
    '/v1/chat/completions',
    (most) => ({ model: 'm', messages: SAID, max_tokens: most }),
  ],
  ['responses', openai, '/v1/responses', (most) => ({ model: 'm', input: 'hi', max_output_tokens: most })],
  ['completions', openai, '/v1/completions', (most) => ({ model: 'm', prompt: 'hi', max_tokens: most })],
  ['messages', anthropic, '/v1/messages', (most) => ({ model: 'm', messages: SAID, max_tokens: most })],
  [
    'generateContent',
    gemini,
    '/v1beta/models/m:generateContent',
    (most) => ({ contents: [{ parts: [{ text: 'hi' }] }], generationConfig: { maxOutputTokens: most } }),
  ],
  [
    'converse',
    bedrock,
    `/model/${CLAUDE}/converse`,
    (most) => ({
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
      inferenceConfig: { maxTokens: most },
    }),
  ],
  [
    'invoke',
    bedrock,
    `/model/${CLAUDE}/invoke`,
    (most) => ({ anthropic_version: 'bedrock-2023-05-31', messages: SAID, max_tokens: most }),
  ],
];

const compileCondition = await loadConditions();
const RULE = 'llm u/** when call.max_output_tokens <= 4096';
const rule = parseRule(RULE, { file: 'c.yaml', line: 1, column: 1 }, { compileCondition, refuses: false });
const RULES = { prohibited: [], deny: [], ask: [], notify: [], allow: [rule], bindsTools: false };

function call(dialect: Dialect, path: string, body: JsonObject, ofRole: number | null): Classified {
  const head = { method: 'POST', path, query: '', headers: {} };
  const endpoint = dialect.recognise(head);
  if (!endpoint) throw new Error(`no endpoint: ${path}`);
  const description = dialect.describe(endpoint, head, body, Buffer.from(JSON.stringify(body)));
  return {
    to: { kind: 'upstream', name: 'u' },
    upstream: { name: 'u', speaks: dialect.name, url: 'https://u.example' },
    agent: { name: 'a', mode: 'enforce', maxOutputTokens: ofRole, entry: { roles: ['r'], department: null } },
    lineage: { task: 't' },
    policy: { config: { money: { unknownPrice: 'pass' } }, prices: { priceOf: () => null } },
    method: 'POST',
    head,
    endpoint,
    description,
    json: body,
  } as unknown as Classified;
}

const verdictOf = (classified: Classified): string =>
  judge(RULES, wantedBy(classified), (wanted) => factsOf(classified, wanted, new Date(0))).verdict;

describe.each(SHAPES)('%s', (_, dialect, path, body) => {
  const reserved = (most: number) =>
    reserve(call(dialect, path, body(most), 4096) as unknown as Authorized, {} as never);

  it('is refused beyond its role’s limit', async () => {
    await expect(reserved(4096)).resolves.toBeDefined();
    await expect(reserved(4097)).rejects.toMatchObject({
      code: 'bad_request',
      detail: { reason: 'max_output_tokens' },
    });
  });

  it('is judged by a rule on call.max_output_tokens', () => {
    expect(verdictOf(call(dialect, path, body(4096), null))).toBe('allow');
    expect(verdictOf(call(dialect, path, body(4097), null))).toBe('deny');
  });
});

describe('a request that names no limit', () => {
  const silent = { model: 'm', messages: SAID };

  it('gets its role’s, and is judged by it', async () => {
    const classified = call(openai, '/v1/chat/completions', silent, 2000);
    expect(verdictOf(classified)).toBe('allow');
    const reserved = await reserve(classified as unknown as Authorized, {} as never);
    expect(reserved.outputTokensWritten).toBe(2000);
  });

  it('is not covered by a rule on its limit where its role has none', () => {
    expect(verdictOf(call(openai, '/v1/chat/completions', silent, null))).toBe('deny');
  });
});
