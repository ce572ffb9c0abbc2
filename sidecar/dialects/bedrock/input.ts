// The most tokens a conversation can be, in Converse and in Nova's own format, whose blocks are the same. The body's
// bytes bound its text; pictures count by a constant where their model's maker names one; what lies in S3, what is
// spoken or filmed, and documents that are no plain text could be anything up to the context window.

import type { Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { syntaxBytes } from '../syntax.ts';

export interface Input {
  readonly tokens: number;
  readonly byReference: boolean;
  readonly hosted: readonly string[];
  readonly hostedArgs: readonly JsonObject[];
  readonly unmeterable: string | null;
}

const MESSAGE_TOKENS = 8;
/** What wraps a request, and the prompt that describes a structured output's format. */
const REQUEST_TOKENS = 640;
/** Dearest picture, platform.claude.com/docs/en/build-with-claude/vision: 4,784 tokens on models of high resolution. */
const IMAGE_TOKENS_MAX = 5_000;
const COUNTS_PICTURES = 'anthropic.';
/** Documents that are as long as their bytes; base64 in the body is longer, never shorter. */
const PLAIN_DOCUMENTS = new Set(['txt', 'md', 'csv', 'html']);
const SPEECH = 'sound has a rate of its own, which the answer does not tell apart';

interface Found {
  readonly countsPictures: boolean;
  images: number;
  imageBytes: number;
  byReference: boolean;
  speech: boolean;
  /** Tools of remote servers that a message brings in. */
  readonly remote: JsonObject[];
}

/** `id`: the model's, without place and region. */
export function measureInput(messages: readonly Json[], bodyBytes: number, id: string): Input {
  const found: Found = {
    countsPictures: id.startsWith(COUNTS_PICTURES),
    images: 0,
    imageBytes: 0,
    byReference: false,
    speech: false,
    remote: [],
  };
  for (const message of messages) if (isObject(message)) look(message, found);
  return {
    tokens:
      bodyBytes -
      found.imageBytes -
      syntaxBytes(messages) +
      found.images * IMAGE_TOKENS_MAX +
      messages.length * MESSAGE_TOKENS +
      REQUEST_TOKENS,
    byReference: found.byReference,
    hosted: found.remote.map(() => 'mcp'),
    hostedArgs: found.remote,
    unmeterable: found.speech ? SPEECH : null,
  };
}

/** A message, a block of one, or a tool's result: their blocks stand in `content`. As deep as the parser lets them. */
function look(block: JsonObject, found: Found): void {
  if (isObject(block.image)) seeImage(block.image, found);
  if (isObject(block.document)) seeDocument(block.document, found);
  if (block.video !== undefined) found.byReference = true;
  if (block.audio !== undefined) found.byReference = found.speech = true;
  if (isObject(block.guardContent)) look(block.guardContent, found);
  if (isObject(block.toolAddition)) seeAddition(block.toolAddition, found);
  if (isObject(block.toolResult)) look(block.toolResult, found);
  if (!Array.isArray(block.content)) return;
  for (const inner of block.content) if (isObject(inner)) look(inner, found);
}

function seeImage({ source }: JsonObject, found: Found): void {
  const data = isObject(source) ? source.bytes : undefined;
  if (!found.countsPictures || typeof data !== 'string') {
    found.byReference = true;
    return;
  }
  found.images += 1;
  if (/^[\x20-\x7e]*$/.test(data)) found.imageBytes += data.length;
}

function seeDocument({ source, format }: JsonObject, found: Found): void {
  if (!isObject(source)) return;
  const held = source.text !== undefined || source.content !== undefined;
  const plain = source.bytes !== undefined && PLAIN_DOCUMENTS.has(String(format));
  if (source.s3Location !== undefined || !(held || plain)) found.byReference = true;
}

/** A tool of the request's own list is known; one of a remote server's is not. */
function seeAddition({ tool }: JsonObject, found: Found): void {
  if (isObject(tool) && (tool.serverName ?? null) !== null) found.remote.push(tool);
}
