// `outrider audit export`: what a verifier needs, fetched from a collector that runs and laid out as contract/audit/export.ts
// says. Which rows go along follows from the log: those that its leaves brought, up to the checkpoint it begins with.

import { createWriteStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { EXPORT_FILES, EXPORT_VERSION, type ExportManifest } from '../../contract/audit/export.ts';
import { shownBetween } from '../../contract/audit/row.ts';
import type { AuditStatus } from '../../contract/audit/status.ts';
import { makeFolders } from '../../kit/folders.ts';
import { type CollectorClient, type CollectorFlags, collectorClient } from '../collector-client.ts';
import { EXIT, type Io, UsageError } from '../command.ts';
import { DEFAULT_DATA } from '../process.ts';
import { type Brought, type Range, startCopy } from './exported-log.ts';

interface EndedLog {
  readonly name: string;
  readonly size: number;
  readonly note: string;
  /** None from a collector of before it had one. */
  readonly minimum_index?: number;
}

interface Exported {
  readonly manifest: ExportManifest;
  /** Files of the log that the collector has not, or that can't be read: whoever verifies hears of them. */
  readonly lacking: readonly string[];
}

interface Settled {
  readonly size: number;
  readonly note: string;
  readonly minimum_index: number;
}

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
  if (range.since !== null && range.until !== null && range.since >= range.until)
    throw new UsageError('--since is a time before --until.');
  await makeFolders(directory);
  if ((await readdir(directory)).length > 0)
    throw new Error(`${directory} is not empty: name a folder that is not there yet.`);
  const { manifest, lacking } = await exportFrom(values, io, (collector) =>
    exportTo(directory, collector, range),
  );
  const text = `Exported ${manifest.actions} records and ${manifest.control_events} control events to ${directory}.`;
  io.stdout(values.json ? `${JSON.stringify({ directory, ...manifest })}\n` : `${text}\n`);
  if (lacking.length === 0) return EXIT.done;
  io.stderr(damageLine(lacking));
  return EXIT.failed;
}

function damageLine([first, ...others]: readonly string[]): string {
  const more = others.length === 0 ? '' : `, and so it is with ${others.length} more`;
  return `The log is damaged: ${first}${more}; what is there was exported, for \`outrider audit verify\` to name it.\n`;
}

/** A collector that is named is asked; else the data directory is opened here, unless one runs on it. */
async function exportFrom(
  flags: CollectorFlags,
  io: Io,
  use: (collector: CollectorClient) => Promise<Exported>,
): Promise<Exported> {
  if (flags.collector ?? io.env.OUTRIDER_COLLECTOR) return use(collectorClient(flags, io));
  const { withStoppedLog } = await import('./stopped-log.ts');
  const data = flags.data ?? (io.env.OUTRIDER_DATA || DEFAULT_DATA);
  return (await withStoppedLog(data, io, use)) ?? use(collectorClient(flags, io));
}

async function exportTo(directory: string, collector: CollectorClient, range: Range): Promise<Exported> {
  const { size, note, minimum_index } = await collector.post<Settled>('/v1/audit/settled');
  const put = async (path: string, bytes: string | Uint8Array): Promise<void> => {
    await makeFolders(dirname(join(directory, path)));
    await writeFile(join(directory, path), bytes);
  };
  await put(EXPORT_FILES.checkpoint, note);
  await put(EXPORT_FILES.verifierKey, await collector.text('/v1/audit/key'));
  for (const kept of await collector.get<{ size: number; note: string }[]>('/v1/audit/checkpoints'))
    if (kept.size <= size) await put(join(EXPORT_FILES.checkpoints, String(kept.size)), kept.note);
  const copied = startCopy(collector, range, put);
  const ended = minimum_index > 0 ? [] : goingOn(await collector.get<EndedLog[]>('/v1/audit/logs'));
  for (const { name, size: leaves, note: last, minimum_index: from = 0 } of ended) {
    const under = `${EXPORT_FILES.logs}/${name}/`;
    await put(`${under}${EXPORT_FILES.checkpoint}`, last);
    await copied.log({ size: leaves, from, under });
  }
  await copied.log({ size, from: minimum_index, under: '' });
  const { brought } = copied;
  const actions = await exportActions(directory, collector, range, brought);
  const control = join(directory, EXPORT_FILES.controlEvents);
  const events = await exportLines(collector, '/v1/audit/control-events', control, brought);
  const manifest: ExportManifest = {
    version: EXPORT_VERSION,
    fleet: note.split('\n', 1)[0]!.split('/')[1] ?? '',
    made_at: new Date().toISOString(),
    ...range,
    minimum_index,
    logs: ended.map(({ name, minimum_index: from = 0 }) => ({ name, minimum_index: from })),
    actions,
    control_events: events,
  };
  await refuseIfPruned(collector, manifest);
  await put(EXPORT_FILES.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, lacking: copied.lacking };
}

/** Those that a verifier follows back to: none before one whose first entries are no longer kept. */
function goingOn(ended: readonly EndedLog[]): readonly EndedLog[] {
  const oldest = ended.findLastIndex(({ minimum_index: from = 0 }) => from > 0);
  return ended.slice(Math.max(0, oldest));
}

async function refuseIfPruned(collector: CollectorClient, manifest: ExportManifest): Promise<void> {
  const { minimum_index } = await collector.get<AuditStatus>('/v1/audit/status');
  const names = (await collector.get<EndedLog[]>('/v1/audit/logs')).map(({ name }) => name);
  const isThere = manifest.logs!.every(({ name }) => names.includes(name));
  if (minimum_index !== manifest.minimum_index || !isThere)
    throw new Error('What had its time went while it was exported: export again, into another folder.');
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
