// chDB, held by this process alone. A session runs one statement at a time and blocks a thread while it does, so sessions
// are lent from pools: `work` may do anything, a reader is read-only. A reader is a pair: `plain` (readonly=1) lets nobody
// change a setting, not even an output format's; `tuned` (readonly=2) runs only statements that the wall has judged to
// set nothing, with the settings that the door itself appends.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Session } from 'chdb';
import type { EngineLimits } from './messages.ts';
import { PRIVATE_SESSIONS } from './messages.ts';
import { createPool, type Pool } from './pool.ts';

export interface Answer {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedSeconds: number;
}

export interface Reader {
  readonly plain: Session;
  /** Made when first asked for: few clients send settings. */
  readonly tuned: () => Session;
}

export interface Engine {
  readonly version: string;
  readonly timezone: string;
  readonly work: Pool<Session>;
  readonly read: Pool<Reader>;
}

/** A statement failed; `code` is ClickHouse's exception number, `message` the text as ClickHouse prints it. */
export class StatementFailure extends Error {
  override name = 'StatementFailure';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function openEngine(dataDirectory: string, limits: EngineLimits): Engine {
  const directory = join(dataDirectory, 'clickhouse');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Tables are named like files in ClickHouse's embedded mode: let relative names find nothing.
  const empty = join(dataDirectory, 'empty');
  mkdirSync(empty, { recursive: true, mode: 0o500 });
  process.chdir(empty);

  const open = (...args: string[]) => new Session(directory, { connectionArgs: [...ALWAYS, ...args] });
  const first = open(...WORK);
  const [version = '', timezone = ''] = first.query('SELECT version(), timezone()', 'TSV').trim().split('\t');
  return {
    version,
    timezone,
    work: createPool(PRIVATE_SESSIONS, WORK_WAITING_MAX, () => open(...WORK), first),
    read: createPool(limits.readers, limits.readers * WAITING_PER_READER, () => {
      let tuned: Session | undefined;
      return {
        plain: open('--readonly=1', ...limited(limits)),
        tuned: () => {
          tuned ??= open('--readonly=2', ...limited(limits));
          return tuned;
        },
      };
    }),
  };
}

const WAITING_PER_READER = 8;
const WORK_WAITING_MAX = 1000;

const ALWAYS = ['--async_load_databases=0', '--async_insert=0', '--max_threads=2'];
/** What passes 2⁵³ or has decimals comes as text: the collector reads money with it. */
const EXACT = ['--output_format_json_quote_64bit_integers=1', '--output_format_json_quote_decimals=1'];
const WORK = ['--max_memory_usage=600000000', '--max_execution_time=300', ...EXACT];

const limited = (limits: EngineLimits): string[] => [
  `--max_memory_usage=${limits.queryMemoryBytes}`,
  `--max_bytes_before_external_group_by=${limits.queryMemoryBytes / 2}`,
  `--max_bytes_before_external_sort=${limits.queryMemoryBytes / 2}`,
  `--max_execution_time=${limits.querySecondsMax}`,
  `--max_result_rows=${limits.resultRowsMax}`,
  `--max_result_bytes=${limits.resultBytesMax}`,
  '--result_overflow_mode=throw',
  '--max_ast_depth=500',
  '--max_ast_elements=20000',
  '--max_subquery_depth=50',
];

/** Runs one statement whole. Throws StatementFailure. */
export async function run(session: Session, statement: string, format: string): Promise<Answer> {
  try {
    const result = await session.queryAsync(statement, { format });
    return {
      bytes: result.bytes(),
      rowsRead: result.rowsRead,
      bytesRead: result.bytesRead,
      elapsedSeconds: result.elapsed,
    };
  } catch (failure) {
    throw asStatementFailure(failure);
  }
}

/** Runs a SELECT and hands its rows over block by block. Throws StatementFailure; abandoning it cancels the query. */
export async function* stream(
  session: Session,
  statement: string,
  format: string,
): AsyncGenerator<Uint8Array> {
  const chunks = session.queryStream(statement, { format });
  try {
    for await (const chunk of chunks) yield chunk.raw();
  } catch (failure) {
    throw asStatementFailure(failure);
  } finally {
    chunks.cancel();
  }
}

function asStatementFailure(failure: unknown): StatementFailure {
  const message = failure instanceof Error ? failure.message : String(failure);
  const code = /Code: (\d+)\./.exec(message)?.[1];
  return new StatementFailure(
    Number(code ?? 0),
    message.replace(/^(?:Code: \d+\. DB::Exception: )+(?=Code: )/, ''),
  );
}
