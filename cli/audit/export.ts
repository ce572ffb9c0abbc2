// `outrider audit export`: what a verifier needs, fetched from a collector that runs and laid out as contract/audit/export.ts
// says. Which rows go along follows from the log: those that its leaves brought, up to the checkpoint it begins with.

import { createWriteStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { EXPORT_FILES, EXPORT_VERSION, type ExportManifest } from '../../contract/audit/export.ts';
import { decodeLeaf, type Leaf } from '../../contract/audit/leaf.ts';
import { shownBetween } from '../../contract/audit/row.ts';
import { makeFolders } from '../../kit/folders.ts';
import { HASH_BYTES } from '../../kit/tlog/merkle.ts';
import { readGrown } from '../../kit/tlog/tile-hashes.ts';
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from '../../kit/tlog/tiles.ts';
import { type CollectorClient, type CollectorFlags, collectorClient } from '../collector-client.ts';
import { EXIT, type Io, UsageError } from '../command.ts';
import { DEFAULT_DATA } from '../process.ts';

interface Range {
  readonly since: string | null;
  readonly until: string | null;
}

interface EndedLog {
  readonly name: string;
  readonly size: number;
  readonly note: string;
}

interface Settled {
  readonly size: number;
  readonly note: string;
  readonly minimum_index: number;
}

/** Stream → links that leaves of the range brought, first and last of each stretch. */
type Brought = ReadonlyMap<string, readonly (readonly [first: number, last: number])[]>;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      since: { type: 'string' },
      until: { type: 'string' },
      collector: { type: 'string' },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [directory, ...more] = positionals;
  if (directory === undefined || more.length > 0) throw new UsageError('Write `outrider audit export DIR`.');
  const range = { since: timeOf('--since', values.since), until: timeOf('--until', values.until) };
  await makeFolders(directory);
  if ((await readdir(directory)).length > 0)
    throw new Error(`${directory} is not empty: name a folder that is not there yet.`);
  const manifest = await exportFrom(values, io, (collector) => exportTo(directory, collector, range));
  const text = `Exported ${manifest.actions} records and ${manifest.control_events} control events to ${directory}.`;
  io.stdout(values.json ? `${JSON.stringify({ directory, ...manifest })}\n` : `${text}\n`);
  return EXIT.done;
}

/** A collector that is named is asked; else the data directory is opened here, unless one runs on it. */
async function exportFrom(
  flags: CollectorFlags,
  io: Io,
  use: (collector: CollectorClient) => Promise<ExportManifest>,
): Promise<ExportManifest> {
  if (flags.collector ?? io.env.OUTRIDER_COLLECTOR) return use(collectorClient(flags, io));
  const { withStoppedLog } = await import('./stopped-log.ts');
  const data = flags.data ?? (io.env.OUTRIDER_DATA || DEFAULT_DATA);
  return (await withStoppedLog(data, io, use)) ?? use(collectorClient(flags, io));
}

async function exportTo(
  directory: string,
  collector: CollectorClient,
  range: Range,
): Promise<ExportManifest> {
  const { size, note, minimum_index } = await collector.post<Settled>('/v1/audit/settled');
  const put = async (path: string, bytes: string | Uint8Array): Promise<void> => {
    await makeFolders(dirname(join(directory, path)));
    await writeFile(join(directory, path), bytes);
  };
  await put(EXPORT_FILES.checkpoint, note);
  await put(EXPORT_FILES.verifierKey, await collector.text('/v1/audit/key'));
  for (const kept of await collector.get<{ size: number; note: string }[]>('/v1/audit/checkpoints'))
    if (kept.size <= size) await put(join(EXPORT_FILES.checkpoints, String(kept.size)), kept.note);
  const brought = new Map<string, [first: number, last: number][]>();
  const ended = minimum_index > 0 ? [] : await collector.get<EndedLog[]>('/v1/audit/logs');
  for (const { name, size: leaves, note: last } of ended) {
    const under = `${EXPORT_FILES.logs}/${name}/`;
    await put(`${under}${EXPORT_FILES.checkpoint}`, last);
    await exportLog(collector, { size: leaves, from: 0, under }, range, { put, brought });
  }
  await exportLog(collector, { size, from: minimum_index, under: '' }, range, { put, brought });
  const actions = await exportActions(directory, collector, range, brought);
  const control = join(directory, EXPORT_FILES.controlEvents);
  const events = await exportLines(collector, '/v1/audit/control-events', control, brought);
  const manifest: ExportManifest = {
    version: EXPORT_VERSION,
    fleet: note.split('\n', 1)[0]!.split('/')[1] ?? '',
    made_at: new Date().toISOString(),
    ...range,
    minimum_index,
    actions,
    control_events: events,
  };
  await put(EXPORT_FILES.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

interface Copied {
  readonly size: number;
  /** The lowest index whose entry is kept. */
  readonly from: number;
  /** Where the log lies, here and there: '' or a folder with its slash. */
  readonly under: string;
}

interface Taking {
  readonly brought: Map<string, [first: number, last: number][]>;
  put(path: string, bytes: Uint8Array): Promise<void>;
}

/** Copies the tiles and entries of a log, and notes which links of which chains its leaves brought. */
async function exportLog(
  collector: CollectorClient,
  { size, from, under }: Copied,
  range: Range,
  { put, brought }: Taking,
): Promise<void> {
  for (let level = 0; tileWidth(size, level, 0) > 0; level += 1)
    for (let index = Math.floor(from / TILE_WIDTH ** (level + 1)); ; index += 1) {
      const width = tileWidth(size, level, index);
      if (width === 0) break;
      const pathOf = (wide: number): string => under + tilePath({ level, index, width: wide });
      const hashes = await tileBytes(collector, pathOf, width);
      await put(pathOf(width), hashes.subarray(0, width * HASH_BYTES));
      if (level > 0) continue;
      const entriesPath = (wide: number): string => under + bundlePath({ index, width: wide });
      const entries = decodeBundle(await tileBytes(collector, entriesPath, width)).slice(0, width);
      await put(entriesPath(width), encodeBundle(entries));
      for (const entry of entries) take(brought, decodeLeaf(entry), range);
    }
}

/** As wide as wanted, or wider. */
async function tileBytes(
  collector: CollectorClient,
  path: (width: number) => string,
  width: number,
): Promise<Buffer> {
  const bytes = await readGrown(width, (wide) => collector.bytes(`/v1/audit/${path(wide)}`));
  if (bytes !== null) return bytes;
  throw new Error(`The collector lacks ${path(width)}, which its checkpoint stands on: see its log.`);
}

function take(
  ranges: Map<string, [number, number][]>,
  { chains, receivedMs }: Leaf,
  { since, until }: Range,
): void {
  const isWithin =
    (since === null || receivedMs >= Date.parse(since)) && (until === null || receivedMs < Date.parse(until));
  for (const { stream, first, last } of chains) {
    const own = ranges.get(stream) ?? [];
    ranges.set(stream, own);
    const before = own.at(-1);
    if (!isWithin) continue;
    if (before && before[1] + 1 === first) before[1] = last;
    else own.push([first, last]);
  }
}

async function exportActions(
  directory: string,
  collector: CollectorClient,
  { since, until }: Range,
  brought: Brought,
): Promise<number> {
  const shown = shownBetween(Date.parse(since ?? ''), Date.parse(until ?? ''));
  const from = since === null ? '' : `since=${new Date(shown.from).toISOString()}`;
  const to = until === null ? '' : `until=${new Date(shown.until).toISOString()}`;
  const hours = await collector.get<{ hour: string }[]>(
    `/v1/audit/actions?${[from, to].filter(Boolean).join('&')}`,
  );
  await makeFolders(join(directory, EXPORT_FILES.actions));
  let rows = 0;
  for (const { hour } of hours) {
    const path = join(directory, EXPORT_FILES.actions, `${hour}.jsonl`);
    rows += await exportLines(collector, `/v1/audit/actions/${hour}`, path, brought);
  }
  return rows;
}

/** Writes those lines whose links a leaf brought, and those of chains that no leaf speaks of. */
async function exportLines(
  collector: CollectorClient,
  from: string,
  to: string,
  brought: Brought,
): Promise<number> {
  let count = 0;
  let isWhole = false;
  const lines = async function* (): AsyncGenerator<string> {
    for await (const line of collector.lines(from)) {
      isWhole = line === '';
      if (isWhole) continue;
      const { audit_stream: stream = '', audit_seq: seq = '0' } = JSON.parse(line) as Record<string, string>;
      if (!isBrought(brought.get(stream), Number(seq))) continue;
      count += 1;
      yield `${line}\n`;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(to));
  if (!isWhole)
    throw new Error(`The collector's answer to ${from} was cut off: see its log, then try again.`);
  return count;
}

/** Of a chain that no leaf speaks of all links count: they came from a sidecar of an earlier release. */
function isBrought(stretches: readonly (readonly [number, number])[] | undefined, seq: number): boolean {
  return stretches === undefined || stretches.some(([first, last]) => first <= seq && seq <= last);
}

function timeOf(flag: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`${flag} is a time like 2026-11-21T09:00:00Z.`);
  return new Date(ms).toISOString();
}
