// An INSERT whose rows come behind it in the body, as protobuf: a POST of our own, for ClickHouse's client would put the
// statement into the URL, and a load statement of 15 KB does not pass the proxies that stand before servers.
//
//   POST /?database=…&<settings>      INSERT INTO … SELECT … FROM input('…') … FORMAT Protobuf \n <the segment's bytes>
//
// Source: clickhouse.com/docs/interfaces/http; the exception's number stands in X-ClickHouse-Exception-Code.

import { readFile } from 'node:fs/promises';
import { Pool } from 'undici';
import { sentenceOf } from '../../../kit/log.ts';
import { QueryFailed, StoreUnavailable } from '../failures.ts';
import type { Place } from './place.ts';

export interface Inserts {
  /** Runs `statement` over the bytes of the file at `path`. Throws StoreUnavailable or QueryFailed. */
  insert(statement: string, path: string): Promise<void>;
  close(): Promise<void>;
}

const ANSWER_MS_MAX = 320_000;
const CONNECT_MS_MAX = 10_000;

export function createInserts(place: Place, settings: Readonly<Record<string, string>>): Inserts {
  const pool = new Pool(place.origin, {
    connections: 2,
    connect: { timeout: CONNECT_MS_MAX },
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
  });
  const path = `/?${new URLSearchParams({ database: place.database, ...settings })}`;
  const authorization = `Basic ${Buffer.from(`${place.user}:${place.password}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/octet-stream', 'user-agent': 'outrider' };

  return {
    async insert(statement, file) {
      const body = Buffer.concat([Buffer.from(`${statement}\n`), await readFile(file)]);
      const answer = await answered(() => pool.request({ method: 'POST', path, headers, body }));
      const text = await answered(() => answer.body.text());
      throwFailure(answer.statusCode, answer.headers['x-clickhouse-exception-code'], text);
    },
    close: () => pool.close(),
  };
}

/** Whatever breaks on the way: it may have been done or not. */
async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
  }
}

const TEXT_MAX = 2_000;

/** An insert that was done is answered 200 with nothing. Once a server has begun its answer, an exception stands in its body. */
function throwFailure(status: number, header: string | string[] | undefined, text: string): void {
  const code = Number(header ?? /^Code: (\d+)\./m.exec(text)?.[1] ?? 0);
  if (code > 0) throw new QueryFailed(code, text.trim().slice(0, TEXT_MAX));
  if (status !== 200 || text.trim() !== '')
    throw new StoreUnavailable(`The store's address answers ${status}, and not as ClickHouse does.`);
}
