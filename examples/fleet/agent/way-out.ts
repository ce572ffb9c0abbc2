// An agent's way into the world: the official SDKs and plain HTTP, all with the sidecar as their base URL and no key of
// their own. The lineage of the work stands in the headers of every call.

import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import { GRANTOR } from '../plan.ts';
import type { Tally } from './tally.ts';

/** On whose behalf and within what a call is made. */
export interface Lineage {
  readonly task: string;
  /** As it arrived with the handoff, or drawn by the agent that began the work. */
  readonly traceparent: string;
  /** The agent that handed the work over; empty for the first. */
  readonly caller: string;
  /** Handoffs since the work was granted. */
  readonly depth: number;
}

export interface Thought {
  readonly instruction: string;
  readonly material: string;
  /** About so many words are asked for; twice as many tokens are the limit. */
  readonly words: number;
  readonly stream?: boolean;
  /** A tool that the model may ask for. */
  readonly tool?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly refusal: string;
  readonly retryAfterSeconds: number;
  readonly body: unknown;
}

export interface WayOut {
  /** Asks the model (`upstream/model`); answers its text. Throws the SDK's own error. */
  think(model: string, thought: Thought, lineage: Lineage): Promise<string>;
  http(method: string, upstream: string, path: string, lineage: Lineage, body?: unknown): Promise<HttpAnswer>;
  endTask(agent: string, task: string, units?: number): Promise<void>;
}

const NO_KEY = 'no-key-here';
const WORDS_TO_TOKENS = 2;

/** `proxy` and `admin` are the sidecar's addresses. Clients retry nothing, so that one wish is one call. */
export async function openWayOut(
  sidecar: { readonly proxy: string; readonly admin: string },
  model: string,
  tally: Tally,
): Promise<WayOut> {
  const { proxy, admin } = sidecar;
  const options = { apiKey: NO_KEY, maxRetries: 0, fetch: tally.fetch };
  const openai =
    model.startsWith('openai/') &&
    new (await import('openai')).default({ ...options, baseURL: `${proxy}/openai/v1` });
  const anthropic =
    model.startsWith('anthropic/') &&
    new (await import('@anthropic-ai/sdk')).default({ ...options, baseURL: `${proxy}/anthropic` });

  return {
    async think(target, thought, lineage) {
      const name = target.slice(target.indexOf('/') + 1);
      const headers = headersOf(lineage);
      if (openai && target.startsWith('openai/')) return askOpenAI(openai, name, thought, headers);
      if (anthropic) return askAnthropic(anthropic, name, thought, headers);
      throw new Error(`This agent has no client for ${target}.`);
    },
    async http(method, upstream, path, lineage, body) {
      const response = await tally.fetch(`${proxy}/${upstream}${path}`, {
        method,
        headers: {
          ...headersOf(lineage),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        refusal: response.headers.get('x-outrider-refusal') ?? '',
        retryAfterSeconds: Number(response.headers.get('retry-after') ?? 0),
        body: text === '' ? null : (JSON.parse(text) as unknown),
      };
    },
    async endTask(agent, task, units) {
      const response = await fetch(`${admin}/v1/tasks/${encodeURIComponent(task)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ agent, state: 'done', ...(units !== undefined && { output_units: units }) }),
      });
      if (!response.ok) throw new Error(`The end of ${task} was not taken: ${await response.text()}`);
    },
  };
}

function headersOf({ task, traceparent, caller, depth }: Lineage): Record<string, string> {
  const members = [
    ...(caller ? [`outrider.caller=${caller}`] : []),
    `outrider.grantor=${GRANTOR}`,
    `outrider.depth=${depth}`,
  ];
  return { 'x-outrider-task': task, traceparent, baggage: members.join(',') };
}

async function askOpenAI(
  client: OpenAI,
  model: string,
  { instruction, material, words, stream, tool }: Thought,
  headers: Record<string, string>,
): Promise<string> {
  const request = {
    model,
    max_completion_tokens: words * WORDS_TO_TOKENS,
    ...(tool && { tools: [{ type: 'function' as const, function: { name: tool } }] }),
    messages: [{ role: 'user' as const, content: promptOf(instruction, words, material) }],
  };
  if (!stream) {
    const whole = await client.chat.completions.create(request, { headers });
    return whole.choices[0]?.message.content ?? '';
  }
  let text = '';
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true }, { headers })) {
    text += chunk.choices[0]?.delta.content ?? '';
  }
  return text;
}

async function askAnthropic(
  client: Anthropic,
  model: string,
  { instruction, material, words, stream }: Thought,
  headers: Record<string, string>,
): Promise<string> {
  const request = {
    model,
    max_tokens: words * WORDS_TO_TOKENS,
    messages: [{ role: 'user' as const, content: promptOf(instruction, words, material) }],
  };
  if (stream) return client.messages.stream(request, { headers }).finalText();
  const whole = await client.messages.create(request, { headers });
  return whole.content[0]?.type === 'text' ? whole.content[0].text : '';
}

const promptOf = (instruction: string, words: number, material: string): string =>
  `${instruction} Answer in about ${words} words.\n\n${material}`;
