// The most tokens an input can be: the body's bytes bound its text; pictures count by a constant; documents and files
// given by name, or as PDF, could be anything up to the context window.

import type { Json, JsonObject } from '../dialect.ts';
import { requirePublicUrl } from '../fetched-url.ts';
import { isObject } from '../fields.ts';
import { syntaxBytes } from '../syntax.ts';

export interface Input {
  readonly tokens: number;
  readonly byReference: boolean;
  /** Tools that a message in the middle of the conversation adds. */
  readonly toolsAdded: readonly Json[];
}

const MESSAGE_TOKENS = 8;
/** What wraps a request of nothing but text, limits and tools. */
const PLAIN_REQUEST_TOKENS = 64;
/** And any other: the prompt that describes a structured output's format, what a mode brings with it. */
const REQUEST_TOKENS = 640;
/** Dearest picture, platform.claude.com/docs/en/build-with-claude/vision: 4,784 tokens on models of high resolution. */
const IMAGE_TOKENS_MAX = 5_000;

/** `plain`: the request asks for nothing that brings a prompt of its own. */
export function measureInput(blocks: readonly Json[], bodyBytes: number, plain: boolean): Input {
  const found: Found = { images: 0, imageBytes: 0, byReference: false, toolsAdded: [] };
  for (const block of blocks) look(block, found);
  return {
    tokens:
      bodyBytes -
      found.imageBytes -
      syntaxBytes(blocks) +
      found.images * IMAGE_TOKENS_MAX +
      blocks.length * MESSAGE_TOKENS +
      (plain ? PLAIN_REQUEST_TOKENS : REQUEST_TOKENS),
    byReference: found.byReference,
    toolsAdded: found.toolsAdded,
  };
}

interface Found {
  images: number;
  imageBytes: number;
  byReference: boolean;
  readonly toolsAdded: Json[];
}

/** Follows `content` and `source` wherever they stand: messages, tool results, documents made of blocks. */
function look(value: Json | undefined, found: Found): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) look(item, found);
    return;
  }
  if (value.type === 'container_upload' || value.file_id !== undefined) found.byReference = true;
  if (value.type === 'tool_addition') seeAddition(value.tool, found);
  if (isObject(value.source)) seeSource(value, value.source, found);
  look(value.content, found);
}

function seeSource(block: JsonObject, source: JsonObject, found: Found): void {
  if (source.type === 'text') return;
  if (source.type === 'content') return look(source.content, found);
  if ((source.url ?? null) !== null) requirePublicUrl(source.url, 'source.url');
  if (block.type !== 'image' || source.type !== 'base64') {
    found.byReference = true;
    return;
  }
  found.images += 1;
  const { data } = source;
  if (typeof data === 'string' && /^[\x20-\x7e]*$/.test(data)) found.imageBytes += data.length;
}

/** A reference names a tool of the request's own list; a definition brings a new one. */
function seeAddition(tool: Json | undefined, found: Found): void {
  if (isObject(tool) && isObject(tool.definition)) found.toolsAdded.push(tool.definition);
}
