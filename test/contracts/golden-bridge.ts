// Golden examples of calls carried into another wire form: test/golden/bridges/<case>/ holds the request as it was asked
// and as it must be carried, the other side's answer and what the agent must get of it, as they stand on the wire.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestHead } from '../../sidecar/dialects/dialect.ts';
import type { Metered } from '../../sidecar/dialects/metered.ts';
import { ROOT, split } from './golden.ts';

export interface GoldenBridge {
  readonly name: string;
  /** Names of dialects. */
  readonly from: string;
  readonly to: string;
  readonly upstream: { readonly name: string; readonly url: string };
  readonly model: string;
  readonly metered: Partial<Metered>;
  readonly asked: Message;
  readonly carried: Message;
  readonly answer: Message;
  readonly passed: Message;
}

export interface Message {
  /** `POST /v1/messages`, `HTTP/1.1 200`. */
  readonly start: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const FOLDER = join(ROOT, 'bridges');

export const goldenBridges = (): GoldenBridge[] => readdirSync(FOLDER).map(read);

export function headOf({ start, headers }: Message): RequestHead {
  const [method = '', target = ''] = start.split(' ');
  const [path = '', query] = target.split('?');
  return { method, path, query: query === undefined ? '' : `?${query}`, headers };
}

function read(name: string): GoldenBridge {
  const file = (leaf: string) => readFileSync(join(FOLDER, name, leaf));
  const about = JSON.parse(file('bridge.json').toString()) as Pick<
    GoldenBridge,
    'from' | 'to' | 'upstream' | 'model' | 'metered'
  >;
  const message = (leaf: string) => messageOf(file(`${leaf}.http`));
  return {
    name,
    ...about,
    asked: message('asked'),
    carried: message('carried'),
    answer: message('answer'),
    passed: message('passed'),
  };
}

function messageOf(bytes: Buffer): Message {
  const { lines, body } = split(bytes);
  const [start = '', ...fields] = lines;
  const headers = Object.fromEntries(fields.map((field) => field.split(': ') as [string, string]));
  return { start, headers, body };
}
