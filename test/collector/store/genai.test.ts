// The same call, as each convention tells it, is the same row; and what a convention tells besides. The cases are data:
// test/cases/genai-dialects.jsonl.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedStore, openTestStore, RECEIVED_AT } from './open.ts';
import { type Attributes, requestBytes } from './otlp.ts';

interface Case {
  readonly id: string;
  readonly attributes: Attributes;
  /** What differs from the call that most tell. */
  readonly row?: object;
  /** All that is told. */
  readonly whole?: object;
}

const CASES = readFileSync(new URL('../../cases/genai-dialects.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const NOTHING = {
  SemConv: '',
  GenAiOperation: '',
  GenAiProvider: '',
  GenAiModel: '',
  GenAiResponseModel: '',
  GenAiConversation: '',
  GenAiAgent: '',
  GenAiAgentId: '',
  GenAiWorkflow: '',
  GenAiTool: '',
  InputTokens: null,
  OutputTokens: null,
  CachedTokens: null,
  CacheWriteTokens: null,
  ReasoningTokens: null,
  FinishReasons: [],
  McpMethod: '',
  McpSession: '',
};
/** Cached and written tokens are part of the 120, and not added to them. */
const CALL = {
  ...NOTHING,
  GenAiOperation: 'chat',
  GenAiProvider: 'azure.ai.openai',
  GenAiModel: 'gpt-5-mini',
  GenAiResponseModel: 'gpt-5-mini-2026-01-01',
  GenAiConversation: 'c-7',
  GenAiAgent: 'scout',
  InputTokens: '120',
  OutputTokens: '30',
  CachedTokens: '100',
  ReasoningTokens: '12',
  FinishReasons: ['stop'],
};

let opened: OpenedStore;
let rows: ReadonlyMap<string, Record<string, unknown>>;

beforeAll(async () => {
  opened = await openTestStore();
  const spans = CASES.map(({ id, attributes }, number) => ({
    traceId: Buffer.alloc(16, 1),
    spanId: Buffer.alloc(8, number + 1),
    name: id,
    startUnixNano: RECEIVED_AT,
    endUnixNano: RECEIVED_AT,
    attributes,
  }));
  await opened.store.load(opened.segment('dialects', [requestBytes({ spans })]));
  const columns = Object.keys(NOTHING).join(', ');
  const found = await opened.store.query<{ id: string; raw: number } & Record<string, unknown>>(
    `SELECT SpanName AS id, length(SpanAttributes) AS raw, ${columns} FROM otel_traces`,
  );
  rows = new Map(found.map((row) => [row.id, row]));
});
afterAll(() => opened.close());

test.each(CASES)('$id', ({ id, attributes, row, whole }) => {
  const { id: _id, raw, ...found } = rows.get(id)!;
  expect(found).toEqual(whole ? { ...NOTHING, ...whole } : { ...CALL, ...row });
  expect(Number(raw)).toBe(Object.keys(attributes).length);
});
