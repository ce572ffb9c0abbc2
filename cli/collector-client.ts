// A command's way to the collector's control API: which one, with which token, and what to say when it says no.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type Io, UsageError } from './command.ts';

export interface CollectorClient {
  readonly url: string;
  get<T>(path: string): Promise<T>;
  /** An answer that is no JSON, as it is. */
  text(path: string): Promise<string>;
  /** Null where there is nothing at that path. */
  bytes(path: string): Promise<Buffer | null>;
  /** An answer of any length, line by line. */
  lines(path: string): AsyncIterable<string>;
  post<T>(path: string, message?: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

/** The flags of commands that speak to a collector; each has its twin in the environment. */
export interface CollectorFlags {
  readonly collector?: string | undefined;
  readonly data?: string | undefined;
}

const DEFAULT_URL = 'http://127.0.0.1:4319';
const DEFAULT_DATA = './.outrider';
const ANSWER_MS = 30_000;

/** Token: OUTRIDER_TOKEN, else the file `token` of the data directory. Throws with one sentence when there is none. */
export function collectorClient(flags: CollectorFlags, { env }: Io): CollectorClient {
  const url = flags.collector ?? (env.OUTRIDER_COLLECTOR || DEFAULT_URL);
  if (!URL.canParse(url)) throw new UsageError(`${url} is not a URL; write it like ${DEFAULT_URL}.`);
  const authorization = `Bearer ${tokenFrom(flags.data ?? (env.OUTRIDER_DATA || DEFAULT_DATA), env)}`;
  return clientOf(url, (path, { headers, ...request }) =>
    send(url, path, { ...request, headers: { ...headers, authorization } }),
  );
}

type Asking = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

/** `send` answers with whatever status; `url` is the collector's name for people. */
export function clientOf(
  url: string,
  send: (path: string, request: Asking) => Promise<Response>,
): CollectorClient {
  async function ask<T>(method: string, path: string, message?: unknown): Promise<T> {
    const answer = await send(path, {
      method,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(message === undefined ? {} : { body: JSON.stringify(message) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(sentenceFrom(answer.status, text, url));
    return JSON.parse(text) as T;
  }

  /** Throws with the collector's own sentence, unless it answers 200 or one of `statuses`. */
  async function fetched(path: string, statuses: readonly number[] = []): Promise<Response> {
    const answer = await send(path, {});
    if (answer.ok || statuses.includes(answer.status)) return answer;
    throw new Error(sentenceFrom(answer.status, await answer.text(), url));
  }

  return {
    url,
    text: async (path) => (await fetched(path)).text(),
    async bytes(path) {
      const answer = await fetched(path, [404]);
      if (answer.ok) return Buffer.from(await answer.arrayBuffer());
      await answer.body?.cancel();
      return null;
    },
    async *lines(path) {
      const { body } = await fetched(path);
      if (body)
        yield* createInterface({ input: Readable.fromWeb(body), crlfDelay: Number.POSITIVE_INFINITY });
    },
    get: (path) => ask('GET', path),
    post: (path, message) => ask('POST', path, message),
    delete: (path) => ask('DELETE', path),
  };
}

function tokenFrom(dataDirectory: string, env: NodeJS.ProcessEnv): string {
  if (env.OUTRIDER_TOKEN) return tokenOf(env.OUTRIDER_TOKEN);
  const file = join(dataDirectory, 'token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (failure) {
    throw new Error(
      `There is no join token in ${file}: name the collector's --data, or set OUTRIDER_TOKEN.`,
      {
        cause: failure,
      },
    );
  }
}

function tokenOf(text: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Error(
    'OUTRIDER_TOKEN holds what no join token does (a blank, a line break): set the token alone.',
  );
}

async function send(url: string, path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(new URL(path, url), request);
  } catch (failure) {
    throw new Error(
      `No collector answers at ${url}; start one, or name it with --collector or OUTRIDER_COLLECTOR.`,
      {
        cause: failure,
      },
    );
  }
}

/** The collector's own sentence; for a token it does not know, which one to show. */
function sentenceFrom(status: number, text: string, url: string): string {
  if (status === 401) {
    return `The collector at ${url} does not know this join token: name its own --data, or set OUTRIDER_TOKEN.`;
  }
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } };
    if (error?.message) return error.message;
  } catch {
    // Not JSON, so not an answer of ours: said below.
  }
  return `${url} answered ${status}, not as a collector does.`;
}
