// Tables on their way from the embedded store to a server. Each table that holds rows is written into files of ClickHouse's
// own Native format, a few megabytes each, and those are sent: a file sent twice adds nothing, and one that arrived is
// removed, so a move that broke off goes on where it was. The views that fill tables come last, for what they would
// fill is among the files.
//
//   export:  embedded tables ─▶ files, and moving.json behind them
//   import:  tables without views ─▶ files ─▶ figures compared ─▶ views, migrations recorded

import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolders } from '../../kit/folders.ts';
import type { Layout } from './layout.ts';
import { applied, migrations, RECORD, recorded } from './migrate.ts';
import { figuresOfMove, type TableFigures } from './move-figures.ts';
import type { Server } from './server/reach.ts';
import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

export interface Chunk {
  readonly file: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

export interface Move {
  /** The backup it is of. */
  readonly id: string;
  readonly chunks: readonly Chunk[];
  readonly figures: Readonly<Record<string, TableFigures>>;
}

export type Moved = (chunks: number, chunksTotal: number) => void;

const LIST = 'moving.json';
/** Of rows as they stand in memory; the file is about as large. */
const CHUNK_BYTES = 16 * 1024 ** 2;

/** The list that an earlier export of the same backup finished in `folder`, if there is one. */
export async function unfinishedMove(folder: string, id: string): Promise<Move | null> {
  const path = join(folder, LIST);
  if (!existsSync(path)) return null;
  const move = JSON.parse(await readFile(path, 'utf8')) as Move;
  return move.id === id ? move : null;
}

/** Writes every table into files in `folder`, which is emptied before. Nothing may be written to the store meanwhile. */
export async function exportTables(
  store: Pick<Store, 'query' | 'command'>,
  { folder, id, progress }: { folder: string; id: string; progress: Moved },
): Promise<Move> {
  await rm(folder, { recursive: true, force: true });
  await makeFolders(folder, 0o700);
  await store.command('SYSTEM STOP MERGES');
  const figures = await figuresOfMove(store);
  const parts = await partsOf(store);
  const chunks: Chunk[] = [];
  for (const [index, part] of parts.entries()) {
    chunks.push(...(await exportPart(store, folder, part, chunks.length)));
    progress(index + 1, parts.length);
  }
  const move = { id, chunks, figures };
  await writeFile(join(folder, LIST), JSON.stringify(move), { mode: 0o600 });
  return move;
}

interface Part {
  readonly table: string;
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

async function partsOf(store: Pick<Store, 'query'>): Promise<Part[]> {
  const rows = await store.query<{ table: string; name: string; rows: string; bytes: string }>(
    `SELECT table, name, rows, data_uncompressed_bytes AS bytes FROM system.parts
     WHERE active AND rows > 0 AND database = currentDatabase() AND table != 'outrider_migrations'
     ORDER BY table, name`,
  );
  return rows.map((row) => ({ ...row, rows: Number(row.rows), bytes: Number(row.bytes) }));
}

async function exportPart(
  store: Pick<Store, 'query' | 'command'>,
  folder: string,
  part: Part,
  number: number,
): Promise<Chunk[]> {
  const columns = await columnsOf(store, part.table);
  const list = columns.map((name) => `\`${name}\``).join(', ');
  const rowsEach = Math.max(1, Math.floor((part.rows * CHUNK_BYTES) / Math.max(part.bytes, CHUNK_BYTES)));
  const chunks: Chunk[] = [];
  for (let from = 0; from < part.rows; from += rowsEach) {
    const file = `${String(number + chunks.length).padStart(6, '0')}.native`;
    const until = Math.min(from + rowsEach, part.rows);
    await store.command(
      `INSERT INTO FUNCTION file(${quoted(resolve(folder, file))}, 'Native') SELECT ${list} FROM ${part.table}
       WHERE _part = ${quoted(part.name)} AND _part_offset >= ${from} AND _part_offset < ${until}`,
    );
    chunks.push({ file, table: part.table, columns, rows: until - from });
  }
  return chunks;
}

/** Those that are kept rather than computed. */
async function columnsOf(store: Pick<Store, 'query'>, table: string): Promise<readonly string[]> {
  const rows = await store.query<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}
     AND default_kind NOT IN ('MATERIALIZED', 'ALIAS', 'EPHEMERAL') ORDER BY position`,
    { table },
  );
  return rows.map(({ name }) => name);
}

/**
 * Fills a database of a server that holds none of our tables, or some of an unfinished move of the same backup. Throws an
 * Error with one sentence when it holds others, or when a table there is not what was exported.
 */
export async function importTables(
  server: Pick<Server, 'connection' | 'insert' | 'layout'>,
  { folder, move, progress }: { folder: string; move: Move; progress: Moved },
): Promise<void> {
  const { connection, insert, layout } = server;
  await claim(server, move.id);
  const { tables, views } = inTwo(layout);
  for (const statement of tables) await connection.command(statement);
  for (const [index, chunk] of move.chunks.entries()) {
    const path = join(folder, chunk.file);
    if (existsSync(path)) await insert(insertOf(chunk, move.id), path);
    await rm(path, { force: true });
    progress(index + 1, move.chunks.length);
  }
  compare(move.figures, await figuresOfMove(connection, Object.keys(move.figures)));
  for (const statement of views) await connection.command(statement);
  for (const statement of layout.statements(RECORD)) await connection.command(statement);
  for (const { name } of migrations()) await connection.command(recorded(name));
}

const insertOf = ({ table, columns, file }: Chunk, id: string): string =>
  `INSERT INTO ${table} (${columns.map((name) => `\`${name}\``).join(', ')})
SETTINGS insert_deduplication_token = ${quoted(`${id}/${file}`)}
FORMAT Native`;

/** Says in the database whose it is; two moves, or a collector that lives there already, would add up. */
async function claim(
  { connection, layout }: Pick<Server, 'connection' | 'layout'>,
  id: string,
): Promise<void> {
  const [known] = await connection.query<{ tables: string }>(
    "SELECT count() AS tables FROM system.tables WHERE database = currentDatabase() AND name = 'outrider_migrations'",
  );
  if (Number(known?.tables) > 0)
    throw new Error('The database holds tables of a collector already: name one that is empty.');
  const claimed = 'CREATE TABLE IF NOT EXISTS outrider_moves (id String) ENGINE = MergeTree ORDER BY id';
  for (const statement of layout.statements(claimed)) await connection.command(statement);
  const moves = await connection.query<{ id: string }>('SELECT DISTINCT id FROM outrider_moves');
  if (moves.some((other) => other.id !== id))
    throw new Error('Another backup was being moved into this database: empty it, or name another.');
  if (moves.length === 0) await connection.command(`INSERT INTO outrider_moves VALUES (${quoted(id)})`);
}

const OF_VIEWS =
  /^\s*(?:--[^\n]*\n\s*)*(?:CREATE (?:OR REPLACE )?(?:MATERIALIZED )?VIEW|DROP VIEW|ALTER TABLE \w+_mv\b)/;
/** What an upgrade fills from rows that were there; here they come filled. */
const OF_ROWS = /^\s*(?:--[^\n]*\n\s*)*INSERT INTO/;

/** The migrations' statements: those that make tables, and those that make views. */
function inTwo(layout: Layout): { readonly tables: string[]; readonly views: string[] } {
  const all = migrations().flatMap(({ statements }) => statements);
  const lasting = all.filter((statement) => !OF_ROWS.test(statement));
  const written = (those: readonly string[]) => those.flatMap((statement) => applied(statement, layout));
  return {
    tables: written(lasting.filter((statement) => !OF_VIEWS.test(statement))),
    views: written(lasting.filter((statement) => OF_VIEWS.test(statement))),
  };
}

function compare(
  wanted: Readonly<Record<string, TableFigures>>,
  found: Readonly<Record<string, TableFigures>>,
): void {
  for (const [table, { rows, digest }] of Object.entries(wanted)) {
    const there = found[table];
    if (there?.rows !== rows)
      throw new Error(`${table} has ${there?.rows ?? 0} rows on the server, and ${rows} were moved.`);
    if (there.digest !== digest)
      throw new Error(`The rows of ${table} on the server are not those that were moved.`);
  }
}
