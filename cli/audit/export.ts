// `outrider audit export`: what a verifier needs, fetched from a collector that runs and laid out as contract/audit/export.ts
// says. Which rows go along follows from the log: those that its leaves brought, up to the checkpoint it begins with.

import { createWriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { EXPORT_FILES, EXPORT_VERSION, type ExportManifest } from '../../contract/audit/export.ts';
import { decodeLeaf, type Leaf } from '../../contract/audit/leaf.ts';
import { bundlePath, decodeBundle, TILE_WIDTH, tilePath, tileWidth } from '../../kit/tlog/tiles.ts';
import { type CollectorClient, collectorClient } from '../collector-client.ts';
import { EXIT, type Io, UsageError } from '../command.ts';

interface Range {
  readonly since: string | null;
  readonly until: string | null;
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
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0)
    throw new Error(`${directory} is not empty: name a folder that is not there yet.`);
  const manifest = await exportTo(directory, collectorClient(values, io), range);
  const text = `Exported ${manifest.actions} records and ${manifest.control_events} control events to ${directory}.`;
  io.stdout(values.json ? `${JSON.stringify({ directory, ...manifest })}\n` : `${text}\n`);
  return EXIT.done;
}

async function exportTo(
  directory: string,
  collector: CollectorClient,
  range: Range,
): Promise<ExportManifest> {
  const { size, note } = await collector.post<{ size: number; note: string }>('/v1/audit/settled');
  const put = async (path: string, bytes: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  };
  await put(EXPORT_FILES.checkpoint, note);
  await put(EXPORT_FILES.verifierKey, await collector.text('/v1/audit/key'));
  for (const kept of await collector.get<{ size: number; note: string }[]>('/v1/audit/checkpoints'))
    if (kept.size <= size) await put(join(EXPORT_FILES.checkpoints, String(kept.size)), kept.note);
  const brought = await exportLog(collector, size, range, put);
  const actions = await exportActions(directory, collector, range, brought);
  const control = join(directory, EXPORT_FILES.controlEvents);
  const events = await exportLines(collector, '/v1/audit/control-events', control, brought);
  const manifest: ExportManifest = {
    version: EXPORT_VERSION,
    fleet: note.split('\n', 1)[0]!.split('/')[1] ?? '',
    made_at: new Date().toISOString(),
    ...range,
    minimum_index: 0,
    actions,
    control_events: events,
  };
  await put(EXPORT_FILES.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Copies the tiles of a tree of `size` leaves; answers which links of which chains its leaves brought. */
async function exportLog(
  collector: CollectorClient,
  size: number,
  range: Range,
  put: (path: string, bytes: Uint8Array) => Promise<void>,
): Promise<Brought> {
  const ranges = new Map<string, [first: number, last: number][]>();
  for (let level = 0; tileWidth(size, level, 0) > 0; level += 1)
    for (let index = 0; ; index += 1) {
      const width = tileWidth(size, level, index);
      if (width === 0) break;
      const hashes = await tileBytes(collector, (wide) => tilePath({ level, index, width: wide }), width);
      await put(tilePath({ level, index, width }), hashes.subarray(0, width * 32));
      if (level > 0) continue;
      const bundle = await tileBytes(collector, (wide) => bundlePath({ index, width: wide }), width);
      const entries = decodeBundle(bundle).slice(0, width);
      await put(
        bundlePath({ index, width }),
        bundle.subarray(
          0,
          entries.reduce((sum, { length }) => sum + 2 + length, 0),
        ),
      );
      for (const entry of entries) take(ranges, decodeLeaf(entry), range);
    }
  return ranges;
}

/** A partial tile goes once it has grown: then the whole one, or a wider one, begins with the same hashes. */
async function tileBytes(
  collector: CollectorClient,
  path: (width: number) => string,
  width: number,
): Promise<Buffer> {
  for (let wide = width; wide <= TILE_WIDTH; wide += 1) {
    const bytes = await collector.bytes(`/v1/audit/${path(wide)}`);
    if (bytes !== null) return bytes;
  }
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

/** A call may have begun long before its request came. */
const BEFORE_MS = 31 * 86_400_000;

async function exportActions(
  directory: string,
  collector: CollectorClient,
  { since, until }: Range,
  brought: Brought,
): Promise<number> {
  const from = since === null ? '' : `since=${new Date(Date.parse(since) - BEFORE_MS).toISOString()}`;
  const to = until === null ? '' : `until=${until}`;
  const hours = await collector.get<{ hour: string }[]>(
    `/v1/audit/actions?${[from, to].filter(Boolean).join('&')}`,
  );
  await mkdir(join(directory, EXPORT_FILES.actions), { recursive: true });
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
