// Statements to a ClickHouse over HTTP, by ClickHouse's own client: what the embedded store and a server have in common.

import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { sentenceOf } from '../../kit/log.ts';
import { QueryFailed, StoreUnavailable } from './failures.ts';

export interface Connection {
  /** Runs one statement that answers nothing. Throws StoreUnavailable or QueryFailed. */
  command(statement: string): Promise<void>;
  /** Runs one query, values by `{name:Type}`. Throws as `command` does. */
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<T[]>;
  close(): Promise<void>;
}

/** `client` is asked before each statement, for it may be another one by then. */
export function connectionOf(
  client: () => Promise<ClickHouseClient>,
  close: () => Promise<void>,
): Connection {
  return {
    command: (statement) =>
      translated(async () => {
        await (await client()).command({ query: statement });
      }),
    query: (sql, parameters = {}) =>
      translated(async () => {
        const answer = await (await client()).query({
          query: sql,
          query_params: parameters,
          format: 'JSONEachRow',
        });
        return await answer.json();
      }),
    close,
  };
}

/** ClickHouse's own failures become QueryFailed; whatever breaks on the way there is StoreUnavailable. */
async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    if (failure instanceof StoreUnavailable) throw failure;
    if (failure instanceof ClickHouseError && failure.type !== 'TOO_MANY_SIMULTANEOUS_QUERIES')
      throw new QueryFailed(Number(failure.code), failure.message);
    throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
  }
}
