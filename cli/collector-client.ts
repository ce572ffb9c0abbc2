// How a command speaks to the collector: its address, the join token, and clear sentences when it does not answer.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sentenceOf } from '../kit/log.ts';
import type { Io } from './command.ts';
import { DEFAULT_DATA } from './process.ts';

export const COLLECTOR_DEFAULT = 'http://127.0.0.1:4319';
const TIMEOUT_MS = 10_000;

export interface CollectorClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

/** `--collector`, else OUTRIDER_COLLECTOR, else the default; the token is OUTRIDER_TOKEN, else `<data>/token`. */
export function collectorClient(
  where: { readonly collector?: string | undefined; readonly data?: string | undefined },
  io: Io,
): CollectorClient {
  const base = where.collector ?? io.env.OUTRIDER_COLLECTOR ?? COLLECTOR_DEFAULT;
  const tokenFile = join(where.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA, 'token');
  const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await reach(new URL(path, base), {
      method,
      headers: { authorization: `Bearer ${tokenOf(io, tokenFile)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.ok) return (await answer.json()) as T;
    const { error } = (await answer.json().catch(() => ({}))) as { error?: { message?: string } };
    throw new Error(error?.message ?? `The collector answered ${answer.status}.`);
  };
  return { get: (path) => send('GET', path), post: (path, body) => send('POST', path, body) };
}

function tokenOf(io: Io, file: string): string {
  if (io.env.OUTRIDER_TOKEN) return io.env.OUTRIDER_TOKEN;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (failure) {
    const code = (failure as NodeJS.ErrnoException).code;
    throw new Error(
      `There is no join token: set OUTRIDER_TOKEN, or point --data at the collector's data (${file}: ${code}).`,
    );
  }
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (failure) {
    throw new Error(
      `No collector answers at ${url.origin} (${sentenceOf(failure)}): start one, or say where with --collector.`,
    );
  }
}
