// chDB, held by this process alone. Every request gets a session of its own, for 1.3 ms: a session whose query failed after
// its first block hands that block to whoever asks next (chDB 3.4). A session blocks a thread while it works, so gates
// count them.
//
// `work` may do anything. `plain` (readonly=1) lets nobody change a setting, not even an output format's; `tuned`
// (readonly=2) runs only statements that the wall has judged to set nothing, with the settings the door itself appends.

import { existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Session } from 'chdb';
import { makeFoldersSync } from '../../../kit/folders.ts';
import { createGate, type Gate } from './gate.ts';
import type { EngineLimits } from './messages.ts';
import { PRIVATE_SESSIONS, READER_THREADS } from './messages.ts';

export interface Answer {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedSeconds: number;
}

export type Rights = 'work' | 'plain' | 'tuned';

export interface Engine {
  readonly version: string;
  readonly timezone: string;
  readonly workGate: Gate;
  readonly readGate: Gate;
  /** Opens a session for `use` alone and closes it after. */
  session<T>(rights: Rights, use: (session: Session) => Promise<T>): Promise<T>;
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
  const home = resolve(dataDirectory);
  const place = join(home, 'clickhouse');
  makeFoldersSync(place, 0o700);
  const directory = nameless(place);
  // Tables are named like files in ClickHouse's embedded mode: let relative names find nothing.
  const empty = join(home, 'empty');
  makeFoldersSync(empty, 0o500);
  process.chdir(empty);

  // These two hold for the whole engine; its first session sets them.
  const always = [...ALWAYS, ...CACHES, `--max_server_memory_usage=${limits.engineMemoryBytes}`];
  const args: Readonly<Record<Rights, readonly string[]>> = {
    work: [...always, ...WORK],
    plain: [...always, '--readonly=1', ...limited(limits)],
    tuned: [...always, '--readonly=2', ...limited(limits)],
  };
  // The engine ends with its last session: this one stays.
  const first = new Session(directory, { connectionArgs: args.work });
  const [version = '', timezone = ''] = first.query('SELECT version(), timezone()', 'TSV').trim().split('\t');
  return {
    version,
    timezone,
    workGate: createGate(PRIVATE_SESSIONS, WAITING_MAX),
    readGate: createGate(limits.readers, limits.readers * WAITING_PER_READER),
    async session(rights, use) {
      const session = new Session(directory, { connectionArgs: args[rights] });
      try {
        return await use(session);
      } finally {
        session.close();
      }
    },
  };
}

/**
 * The same directory under a name that says nothing: system.tables and error messages show strangers where data lies.
 * Where a system has no /proc it keeps its name.
 */
function nameless(directory: string): string {
  const own = '/proc/self/fd';
  return existsSync(own) ? `${own}/${openSync(directory, 'r')}` : directory;
}

const WAITING_PER_READER = 8;
const WAITING_MAX = 1000;
const ALWAYS = [
  '--async_load_databases=0',
  '--async_insert=0',
  `--max_threads=${READER_THREADS}`,
  // It wants a free GiB for each thread, which is most of what the engine has here: every query would get one.
  '--max_threads_min_free_memory_per_thread=0',
];
/**
 * Bytes that caches may hold. They count as memory of the engine and are not emptied when it runs out; ClickHouse's own
 * defaults add up to more than all that it has here.
 */
const CACHES = Object.entries({
  mark_cache_size: 150_000_000,
  index_mark_cache_size: 50_000_000,
  primary_index_cache_size: 100_000_000,
  text_index_tokens_cache_size: 20_000_000,
  text_index_header_cache_size: 20_000_000,
  text_index_postings_cache_size: 40_000_000,
  vector_similarity_index_cache_size: 1_000_000,
  unique_key_index_cache_size_bytes: 1_000_000,
  parquet_metadata_cache_size: 1_000_000,
  iceberg_metadata_files_cache_size: 1_000_000,
  compiled_expression_cache_size: 50_000_000,
  query_condition_cache_size: 20_000_000,
}).map(([name, bytes]) => `--${name}=${bytes}`);
/** What passes 2⁵³ or has decimals comes as text: the collector reads money with it. */
const EXACT = ['--output_format_json_quote_64bit_integers=1', '--output_format_json_quote_decimals=1'];
/** BACKUP goes where the collector says; who may do anything could write there anyway. */
const BACKUPS = '--backups.allowed_path=/';
const WORK = [BACKUPS, '--max_memory_usage=600000000', '--max_execution_time=300', ...EXACT];

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

/**
 * Runs one statement whole, in a thread of its own. chDB's queryStream would plan the statement in the thread that calls it,
 * and with it run every scalar subquery: nothing else of this process would move meanwhile, not even its own watch. Throws
 * StatementFailure.
 */
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

function asStatementFailure(failure: unknown): StatementFailure {
  const message = failure instanceof Error ? failure.message : String(failure);
  const code = /Code: (\d+)\./.exec(message)?.[1];
  return new StatementFailure(
    Number(code ?? 0),
    message.replace(/^(?:Code: \d+\. DB::Exception: )+(?=Code: )/, ''),
  );
}
