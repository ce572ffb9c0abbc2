// The most tokens an input can be. A token is never less than a byte of text, so the body's own length bounds all its
// text; pictures in it count by a constant instead, and what is named but not held (a url, a file) could be anything.

import type { Json, JsonObject } from '../dialect.ts';
import { requirePublicUrl } from '../fetched-url.ts';
import { isObject } from '../fields.ts';
import { syntaxBytes } from '../syntax.ts';

export interface Input {
  readonly tokens: number;
  /** Part of it is elsewhere: up to the whole context window. */
  readonly byReference: boolean;
  readonly audio: boolean;
}

/** Around each message: 3 to 4 tokens and one for a name, by OpenAI's cookbook "How to count tokens". */
const MESSAGE_TOKENS = 8;
/** Around the whole: the reply's priming, the wrapping of a response format. */
const REQUEST_TOKENS = 64;
/**
 * Dearest picture, platform.openai.com/docs/guides/images-vision: 10,000 patches at detail `original` times the largest
 * multiplier, 2.46. Models that count tiles stay far below, but for gpt-4o-mini: 2,833 + 8 tiles × 5,667.
 */
const IMAGE_TOKENS_MAX = 24_600;
const IMAGE_TOKENS_MAX_4O_MINI = 48_169;

export function measureInput(items: readonly Json[], model: string, bodyBytes: number): Input {
  const imageTokens = model.includes('4o-mini') ? IMAGE_TOKENS_MAX_4O_MINI : IMAGE_TOKENS_MAX;
  const found = { images: 0, imageBytes: 0, byReference: false, audio: false };
  for (const item of items) look(item, found);
  return {
    tokens:
      bodyBytes -
      found.imageBytes -
      syntaxBytes(items) +
      found.images * imageTokens +
      items.length * MESSAGE_TOKENS +
      REQUEST_TOKENS,
    byReference: found.byReference,
    audio: found.audio,
  };
}

interface Found {
  images: number;
  imageBytes: number;
  byReference: boolean;
  audio: boolean;
}

/** Parts are known by their keys wherever they stand: messages, tool outputs, screenshots. */
function look(value: Json, found: Found): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) look(item, found);
    return;
  }
  for (const key of Object.keys(value)) {
    const member = value[key]!;
    if (member === null) continue;
    if (FETCHED.has(key)) seeUrl(isObject(member) ? member.url : member, key, found);
    else if (REFERENCES.has(key)) found.byReference = true;
    else if (key === 'input_audio') found.audio = true;
    else if (key === 'result' && value.type === 'image_generation_call') seeImageData(member, found);
    else if (key !== 'annotations') look(member, found);
  }
  if (isReference(value)) found.byReference = true;
}

/** Fetched by the provider; the last two by model servers that speak this API (vLLM). */
const FETCHED = new Set(['image_url', 'file_url', 'video_url', 'audio_url']);

/** `file_data` is held, but a PDF's tokens have nothing to do with its bytes. */
const REFERENCES = new Set(['file_id', 'file_data']);

/** The type may be left out of a reference, which is then an object with nothing but an id. */
const isReference = (value: JsonObject): boolean =>
  value.type === 'item_reference' || (value.id !== undefined && Object.keys(value).length === 1);

function seeUrl(url: Json | undefined, key: string, found: Found): void {
  if (typeof url !== 'string' || !/^data:/i.test(url)) {
    requirePublicUrl(url, key);
    found.byReference = true;
  } else if (/^data:image\//i.test(url)) seeImageData(url, found);
  else found.byReference = true;
}

function seeImageData(data: Json, found: Found): void {
  found.images += 1;
  // Base64 and its prefix are ASCII; were they escaped in the body, they would be longer there, never shorter.
  if (typeof data === 'string' && /^[\x20-\x7e]*$/.test(data)) found.imageBytes += data.length;
}
