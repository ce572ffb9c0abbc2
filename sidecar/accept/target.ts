// Canonical or refused: the one reader of a request's path and query. What is not written the one canonical way is
// refused, never repaired, so that no two layers can come to disagree about it; what is canonical goes as sent.
// Sources: RFC 3986 §§ 2, 6; RFC 9112 § 3; DESIGN "Canonical path".

import { Refusal } from '../../contract/refusals.ts';
import type { Destination } from '../call.ts';
import { printable } from './printable.ts';

export interface Target {
  readonly to: Destination;
  /** With its leading slash, byte-exact; `/` when nothing followed the upstream's name or the host. */
  readonly path: string;
  /** With its `?`, or empty; byte-exact. */
  readonly query: string;
}

const TARGET_CHARACTERS_MAX = 8 * 1024;
/** Path characters that may stand bare: unreserved, sub-delims but `;`, and `:` `@` (RFC 3986 § 3.3). */
const SEGMENT = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-F]{2})*$/;
const QUERY = /^[\x21\x24-\x7e]*$/;
/** Hex pairs that must not stand encoded: unreserved ones (needless), slash, backslash, percent, controls, DEL. */
const FORBIDDEN_PAIR = /%(?:[01][0-9A-F]|7F|2F|5C|25|2D|2E|5F|7E|3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])/;
/**
 * The one segment that may hold an encoded slash: an ARN of Bedrock's, whose models stand in the path by their name.
 * What speaks no Bedrock refuses it later.
 */
const ARN =
  /^arn%3Aaws[a-z-]*%3A(?:bedrock|sagemaker)%3A[a-z0-9-]*%3A\d{0,12}%3A[a-z-]+%2F[A-Za-z0-9](?:[A-Za-z0-9._-]|%3A)*$/;

/** Splits `/<path>?<query>`. Throws Refusal `bad_request` where it is not canonical. */
export function readPath(url: string): Pick<Target, 'path' | 'query'> {
  if (url.length > TARGET_CHARACTERS_MAX)
    throw bad('path_too_long', `The path is longer than ${TARGET_CHARACTERS_MAX} characters.`);
  if (!url.startsWith('/')) {
    throw bad('not_origin_form', 'The request target must be a path such as /openai/v1/chat/completions.');
  }
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark);
  if (url.includes('#')) throw bad('fragment', 'A request target holds no fragment.');
  if (!QUERY.test(query.slice(1)))
    throw bad('query', 'The query holds a character that must be percent-encoded.');
  const why = whyNotCanonical(path);
  if (why) throw bad('path_not_canonical', `The path is not canonical: ${why}.`);
  return { path, query };
}

/** Why a path is not canonical, as the end of a sentence; null when it is. */
export function whyNotCanonical(path: string): string | null {
  if (path.includes('//')) return 'it has an empty segment';
  const segments = path.slice(1).split('/');
  for (const segment of segments) {
    if (segment === '.' || segment === '..') return 'it has a dot segment';
    if (!SEGMENT.test(segment))
      return `"${printable(segment)}" holds a character or escape that may not stand there`;
    if (!segment.includes('%')) continue;
    if (FORBIDDEN_PAIR.test(segment) && !isArn(segment))
      return `"${printable(segment)}" holds an escape that is needless or never allowed`;
    if (segment.endsWith('%20')) return `"${printable(segment)}" ends in a space`;
    if (decoded(segment) === null) return `"${printable(segment)}" is not UTF-8`;
  }
  return null;
}

/** Colons may stand bare or encoded: the one way and the other are canonical. */
const isArn = (segment: string): boolean => ARN.test(segment.replaceAll(':', '%3A'));

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch (failure) {
    if (failure instanceof URIError) return null;
    throw failure;
  }
}

function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
