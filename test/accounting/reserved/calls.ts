// Calls as agents make them, in every dialect of a model: what is asked, and how many tokens that really is. Texts and tools
// are counted by OpenAI's own tokenizer (o200k_base); other providers' are taken to make no
// fewer of the same text, so that their ratios are at most what stands here. Pictures are counted by each provider's own rule.

import { readFileSync } from 'node:fs';
import type { Upstream } from '../../../contract/config/config.ts';
import { defaultConfig } from '../../../contract/config/default-config.ts';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import { bedrock } from '../../../sidecar/dialects/bedrock.ts';
import type { Dialect, JsonObject } from '../../../sidecar/dialects/dialect.ts';
import { gemini } from '../../../sidecar/dialects/gemini.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';

interface Text {
  readonly kind: string;
  readonly part: 'system' | 'question' | 'passage';
  readonly tokens: number;
  readonly text: string;
}

interface Tool {
  readonly tokens: number;
  readonly tool: { readonly name: string; readonly description: string; readonly parameters: JsonObject };
}

const linesOf = <Line>(file: string): Line[] =>
  readFileSync(new URL(file, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

const TEXTS = linesOf<Text>('texts.jsonl');
const TOOLS = linesOf<Tool>('tools.jsonl');
/** Base64 of a picture of 1024 × 1024, as long as a photograph is. */
const PICTURE = 'A'.repeat(200_000);
/** Around a message: OpenAI's cookbook "How to count tokens". */
const MESSAGE_TOKENS = 4;

/** What an agent asks, whatever the wire. */
export interface Asked {
  readonly system: string;
  /** The user's and the assistant's by turns. */
  readonly turns: readonly string[];
  readonly tools: readonly Tool['tool'][];
  readonly picture: string | null;
}

export const SHAPES = ['one question', 'a conversation', 'with tools', 'with a picture'] as const;
export type Shape = (typeof SHAPES)[number];

/** The limit every call names, and what of it an answer uses. */
export const OUTPUT_LIMIT = 1_024;
const OUTPUT_TOKENS: Readonly<Record<Shape, number>> = {
  'one question': 120,
  'a conversation': 300,
  'with tools': 60,
  'with a picture': 180,
};

export interface ReservedCall {
  readonly shape: Shape;
  readonly kind: string;
  readonly asked: Asked;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Wire {
  readonly title: string;
  readonly dialect: Dialect;
  readonly upstream: Upstream;
  readonly path: string;
  readonly model: string;
  readonly pictureTokens: number;
  body(asked: Asked): object;
}

/** Every kind of text in every shape. */
export function callsOf({ pictureTokens }: Wire): ReservedCall[] {
  const kinds = [...new Set(TEXTS.map(({ kind }) => kind))];
  return SHAPES.flatMap((shape) => kinds.map((kind) => callOf(shape, kind, pictureTokens)));
}

function callOf(shape: Shape, kind: string, pictureTokens: number): ReservedCall {
  const text = (part: Text['part']): Text => TEXTS.find((each) => each.kind === kind && each.part === part)!;
  const [system, question, passage] = [text('system'), text('question'), text('passage')];
  const turns = shape === 'a conversation' ? [question, passage, question, passage, question] : [question];
  const tools = shape === 'with tools' ? TOOLS : [];
  const picture = shape === 'with a picture' ? PICTURE : null;
  const said = [system, ...turns];
  return {
    shape,
    kind,
    asked: {
      system: system.text,
      turns: turns.map((each) => each.text),
      tools: tools.map(({ tool }) => tool),
      picture,
    },
    inputTokens:
      sum(said.map(({ tokens }) => tokens + MESSAGE_TOKENS)) +
      sum(tools.map(({ tokens }) => tokens)) +
      (picture ? pictureTokens : 0),
    outputTokens: OUTPUT_TOKENS[shape],
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

const roleAt = (turn: number): 'user' | 'assistant' => (turn % 2 === 0 ? 'user' : 'assistant');
const upstreams = defaultConfig().upstreams;

export const WIRES: readonly Wire[] = [
  {
    title: 'OpenAI chat',
    dialect: openai,
    upstream: upstreams.get('openai')!,
    path: '/v1/chat/completions',
    model: 'gpt-5-mini',
    pictureTokens: 1_659, // 32 × 32 patches × 1.62
    body: ({ system, turns, tools, picture }) => ({
      model: 'gpt-5-mini',
      max_completion_tokens: OUTPUT_LIMIT,
      messages: [
        { role: 'system', content: system },
        ...turns.map((content, turn) => ({ role: roleAt(turn), content })),
        ...(picture
          ? [
              {
                role: 'user',
                content: [{ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${picture}` } }],
              },
            ]
          : []),
      ],
      ...(tools.length > 0 && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    }),
  },
  {
    title: 'OpenAI responses',
    dialect: openai,
    upstream: upstreams.get('openai')!,
    path: '/v1/responses',
    model: 'gpt-5-mini',
    pictureTokens: 1_659,
    body: ({ system, turns, tools, picture }) => ({
      model: 'gpt-5-mini',
      max_output_tokens: OUTPUT_LIMIT,
      instructions: system,
      input: [
        ...turns.map((content, turn) => ({ role: roleAt(turn), content })),
        ...(picture
          ? [
              {
                role: 'user',
                content: [{ type: 'input_image', image_url: `data:image/jpeg;base64,${picture}` }],
              },
            ]
          : []),
      ],
      ...(tools.length > 0 && { tools: tools.map((tool) => ({ type: 'function', ...tool })) }),
    }),
  },
  {
    title: 'Anthropic messages',
    dialect: anthropic,
    upstream: upstreams.get('anthropic')!,
    path: '/v1/messages',
    model: 'claude-haiku-4-5',
    pictureTokens: 1_398, // width × height ÷ 750
    body: (asked) => ({ model: 'claude-haiku-4-5', max_tokens: OUTPUT_LIMIT, ...anthropicBody(asked) }),
  },
  {
    title: 'Gemini',
    dialect: gemini,
    upstream: upstreams.get('gemini')!,
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    model: 'gemini-2.5-flash',
    pictureTokens: 1_032, // four tiles of 258
    body: ({ system, turns, tools, picture }) => ({
      systemInstruction: { role: 'user', parts: [{ text: system }] },
      contents: [
        ...turns.map((text, turn) => ({ role: turn % 2 === 0 ? 'user' : 'model', parts: [{ text }] })),
        ...(picture
          ? [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/jpeg', data: picture } }] }]
          : []),
      ],
      generationConfig: { maxOutputTokens: OUTPUT_LIMIT },
      ...(tools.length > 0 && { tools: [{ functionDeclarations: tools }] }),
    }),
  },
  {
    title: 'Bedrock Converse',
    dialect: bedrock,
    upstream: {
      ...upstreams.get('openai')!,
      name: 'bedrock',
      url: 'https://bedrock-runtime.us-east-1.amazonaws.com',
      speaks: 'bedrock',
    },
    path: '/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/converse',
    model: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    pictureTokens: 1_398,
    body: ({ system, turns, tools, picture }) => ({
      system: [{ text: system }],
      messages: [
        ...turns.map((text, turn) => ({ role: roleAt(turn), content: [{ text }] })),
        ...(picture
          ? [{ role: 'user', content: [{ image: { format: 'jpeg', source: { bytes: picture } } }] }]
          : []),
      ],
      inferenceConfig: { maxTokens: OUTPUT_LIMIT },
      ...(tools.length > 0 && {
        toolConfig: {
          tools: tools.map(({ name, description, parameters }) => ({
            toolSpec: { name, description, inputSchema: { json: parameters } },
          })),
        },
      }),
    }),
  },
];

function anthropicBody({ system, turns, tools, picture }: Asked): object {
  return {
    system,
    messages: [
      ...turns.map((content, turn) => ({ role: roleAt(turn), content })),
      ...(picture
        ? [
            {
              role: 'user',
              content: [
                { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: picture } },
              ],
            },
          ]
        : []),
    ],
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        name,
        description,
        input_schema: parameters,
      })),
    }),
  };
}
