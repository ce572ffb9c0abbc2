// The most tokens an input can be: the body's bytes bound its text; pictures count by a constant; what is named but not
// held (a file, a cache, a video's address), and documents, sound and film, could be anything up to the context window.

import type { Json, JsonObject } from '../dialect.ts';
import { requirePublicUrl } from '../fetched-url.ts';
import { badField, isObject, optionalString } from '../fields.ts';
import { syntaxBytes } from '../syntax.ts';
import { fields, judged, unknownKeys } from './spelling.ts';

export interface Input {
  readonly tokens: number;
  readonly byReference: boolean;
  /** Parts that are more than text. */
  readonly media: number;
}

const MESSAGE_TOKENS = 8;
/** What wraps a request of nothing but text and limits. */
const PLAIN_REQUEST_TOKENS = 64;
/** And any other: the format of a structured output, a tool's mode. */
const REQUEST_TOKENS = 640;
/**
 * Dearest picture, ai.google.dev/gemini-api/docs/image-understanding: 258 tokens for each tile of 768 pixels, of which a
 * picture of 8K has 60; Gemini 3 at its highest resolution stays below, at 2,240 for a whole picture.
 */
const IMAGE_TOKENS_MAX = 15_480;

const CONTENT = fields('role parts');
const PART =
  fields(`text thought thoughtSignature inlineData fileData functionCall functionResponse executableCode
  codeExecutionResult toolCall toolResponse videoMetadata partMetadata mediaResolution mediaProcessing speechMetadata
  audioTranscription`);
const RESPONSE = fields('id name response willContinue scheduling parts');
const BLOB = fields('mimeType data displayName');
const FILE = fields('mimeType fileUri displayName');

interface Found {
  images: number;
  imageBytes: number;
  byReference: boolean;
  media: number;
}

/**
 * `contents` as a list of contents; bare objects and lists of parts inside them are taken as Google takes them. `plain`:
 * the request asks for nothing that brings a prompt of its own.
 */
export function measureInput(contents: readonly Json[], bodyBytes: number, plain: boolean): Input {
  const found: Found = { images: 0, imageBytes: 0, byReference: false, media: 0 };
  for (const content of contents) seeContent(content, found);
  return {
    tokens:
      bodyBytes -
      found.imageBytes -
      syntaxBytes(contents) +
      found.images * IMAGE_TOKENS_MAX +
      contents.length * MESSAGE_TOKENS +
      (plain ? PLAIN_REQUEST_TOKENS : REQUEST_TOKENS),
    byReference: found.byReference,
    media: found.media,
  };
}

/** A repeated field, which Google also takes as the one value alone. */
export const listOf = (value: Json | undefined): readonly Json[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];

function seeContent(content: Json, found: Found): void {
  if (typeof content === 'string') return;
  if (!isObject(content)) throw badField('contents', 'a list of objects');
  for (const part of listOf(judged(content, CONTENT).parts)) seePart(part, found);
}

function seePart(part: Json, found: Found): void {
  if (!isObject(part)) throw badField('contents.parts', 'a list of objects');
  const { inlineData, fileData, functionResponse } = judged(part, PART);
  if (fileData != null) seeFile(fileData, found);
  if (inlineData != null) seeInline(inlineData, found);
  if (isObject(functionResponse)) seeMedia(listOf(judged(functionResponse, RESPONSE).parts), found);
  // a kind of part that came after this was written
  if (unknownKeys(part, PART).length > 0) seeReference(found);
}

/** What a tool gave back beside its JSON: parts that hold nothing but media. */
function seeMedia(parts: readonly Json[], found: Found): void {
  for (const part of parts) {
    if (!isObject(part)) throw badField('functionResponse.parts', 'a list of objects');
    const { inlineData, fileData } = judged(part, PART);
    if (fileData != null) seeFile(fileData, found);
    if (inlineData != null) seeInline(inlineData, found);
  }
}

/** A file that was uploaded, an object in Google's storage, or a url that Google fetches. */
function seeFile(value: Json, found: Found): void {
  if (!isObject(value)) throw badField('fileData', 'an object');
  const { fileUri } = judged(value, FILE);
  const stored = typeof fileUri === 'string' && /^(?:gs:\/\/|files\/)/.test(fileUri);
  if (!stored) requirePublicUrl(fileUri, 'fileUri');
  seeReference(found);
}

function seeReference(found: Found): void {
  found.byReference = true;
  found.media += 1;
}

function seeInline(value: Json, found: Found): void {
  if (!isObject(value)) throw badField('inlineData', 'an object');
  const blob: JsonObject = judged(value, BLOB);
  const type = optionalString(blob, 'mimeType') ?? '';
  // base64 is longer than the text it holds, so the body's bytes bound that too
  if (/^text\//i.test(type)) return;
  if (!/^image\//i.test(type)) return seeReference(found);
  found.images += 1;
  found.media += 1;
  const { data } = blob;
  if (typeof data === 'string' && /^[\x20-\x7e]*$/.test(data)) found.imageBytes += data.length;
}
