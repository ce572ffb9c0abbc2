// Golden examples: test/golden/<dialect>/<case>/ holds a request and an answer as they stand on the wire (head lines end
// in LF, the body is byte-exact) and what a dialect must make of them. A case may leave out what it isn't about.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Description, RequestHead } from '../../sidecar/dialects/dialect.ts';
import type { Metered } from '../../sidecar/dialects/metered.ts';

export interface Golden {
  readonly dialect: string;
  readonly name: string;
  readonly head: RequestHead;
  readonly requestBody: Buffer;
  readonly status: number;
  readonly contentType: string;
  readonly answerBody: Buffer;
  readonly expected: Expected;
}

export interface Expected {
  readonly endpoint: string;
  readonly description?: Partial<Description>;
  readonly unmeterable?: true;
  /** The limit to write where the request names none, and the body that must come of it. */
  readonly outputTokens?: number | null;
  /** Whose upstream it is, where that matters; else the dialect's own provider. */
  readonly upstream?: { readonly name: string; readonly url: string };
  readonly spliced?: string;
  readonly metered?: Partial<Metered>;
  /** Exactly the bytes that go when usage was asked for by us alone, and those of them that stay. */
  readonly usageChunk?: string;
  readonly usageChunkKept?: string;
}

const CONTENT_TYPE = 'content-type: ';
export const ROOT = new URL('../golden/', import.meta.url).pathname;

/** Beside the dialects: calls that are carried from one to another (golden-bridge.ts). */
const BRIDGES = 'bridges';

export function goldenCases(): Golden[] {
  const dialects = readdirSync(ROOT).filter((name) => name !== BRIDGES);
  return dialects.flatMap((dialect) => readdirSync(join(ROOT, dialect)).map((name) => read(dialect, name)));
}

function read(dialect: string, name: string): Golden {
  const file = (leaf: string) => readFileSync(join(ROOT, dialect, name, leaf));
  const request = split(file('request.http'));
  const [method = '', target = ''] = request.lines[0]!.split(' ');
  const [path = '', query] = target.split('?');
  const answer = split(file('response.http'));
  return {
    dialect,
    name,
    head: {
      method,
      path,
      query: query === undefined ? '' : `?${query}`,
      headers: { 'content-type': 'application/json' },
    },
    requestBody: request.body,
    status: Number(answer.lines[0]!.split(' ')[1]),
    contentType: answer.lines.find((line) => line.startsWith(CONTENT_TYPE))?.slice(CONTENT_TYPE.length) ?? '',
    answerBody: answer.body,
    expected: JSON.parse(file('expected.json').toString()) as Expected,
  };
}

export function split(bytes: Buffer): { lines: string[]; body: Buffer } {
  const end = bytes.indexOf('\n\n');
  return { lines: bytes.subarray(0, end).toString().split('\n'), body: bytes.subarray(end + 2) };
}
