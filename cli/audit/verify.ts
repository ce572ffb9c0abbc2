// `outrider audit verify`: an exported directory and a public key, and nothing else.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXPORT_FILES } from '../../contract/audit/export.ts';
import { findingLine } from '../../contract/audit/finding.ts';
import type { AnchoredNote } from '../../contract/audit/other-checkpoints.ts';
import { type Verified, type VerifyInput, verifyExport } from '../../contract/audit/verify.ts';
import { sentenceOf } from '../../kit/log.ts';
import { type NoteVerifier, noteVerifier } from '../../kit/tlog/note.ts';
import { EXIT, type Io, UsageError } from '../command.ts';
import { exportedFiles } from './exported-files.ts';

const SHOWN_MAX = 20;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      anchors: { type: 'string', multiple: true, default: [] },
      against: { type: 'string', multiple: true, default: [] },
      'accept-unlogged': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [directory, ...more] = positionals;
  if (directory === undefined || more.length > 0)
    throw new UsageError('Write `outrider audit verify DIR --key VKEY|FILE`.');
  if (values.key === undefined)
    throw new UsageError('Give the public key by --key: the one in the export proves nothing by itself.');
  const verified = await verifyExport({
    files: exportedFiles(directory),
    trusted: await keysOf(values.key),
    against: (await Promise.all(values.against.map(notesOf))).flat(),
    anchored: values.anchors.length === 0 ? null : (await Promise.all(values.anchors.map(anchoredIn))).flat(),
    acceptsUnlogged: values['accept-unlogged'],
    progress: teller(io),
  });
  io.stdout(values.json ? `${JSON.stringify(verified)}\n` : told(verified));
  return verified.holds ? EXIT.done : EXIT.failed;
}

/** One key as text, or a file with one a line. */
async function keysOf(named: string): Promise<NoteVerifier[]> {
  const isKey = /\+[0-9a-f]{8}\+/.test(named);
  const text = isKey ? named : await readFile(named, 'utf8').catch(unreadable(`--key ${named}`));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  try {
    if (lines.length > 0) return lines.map(noteVerifier);
  } catch (failure) {
    throw new UsageError(`--key ${named}: ${sentenceOf(failure)}`);
  }
  throw new UsageError(`--key ${named} is an empty file.`);
}

/** A checkpoint, a folder of checkpoints, or an export with both. */
async function notesOf(named: string): Promise<VerifyInput['against']> {
  const facts = await stat(named).catch(unreadable(`--against ${named}`));
  if (!facts.isDirectory()) return [await noteIn(named)];
  const names = await readdir(named);
  if (!names.includes(EXPORT_FILES.checkpoint)) return notesIn(named, names);
  const kept = join(named, EXPORT_FILES.checkpoints);
  const own = await noteIn(join(named, EXPORT_FILES.checkpoint));
  return [own, ...(await notesIn(kept, names.includes(EXPORT_FILES.checkpoints) ? await readdir(kept) : []))];
}

/** Of every log in the directory. One that a crash cut short, and write-once storage keeps, is no note. */
async function anchoredIn(directory: string): Promise<AnchoredNote[]> {
  const names = await readdir(directory, { recursive: true }).catch(unreadable(`--anchors ${directory}`));
  const paths = names
    .filter((name) => /(^|\/)checkpoint-\d+$/.test(name))
    .map((name) => join(directory, name));
  const notes = await Promise.all(paths.toSorted().map(anchoredNote));
  return notes.filter(({ note }) => isWholeNote(note));
}

async function anchoredNote(path: string): Promise<AnchoredNote> {
  const { mtimeMs } = await stat(path);
  return { ...(await noteIn(path)), toldMs: mtimeMs };
}

const isWholeNote = (note: string): boolean => note.endsWith('\n') && note.includes('\n\n');

async function notesIn(folder: string, names: readonly string[]): Promise<VerifyInput['against']> {
  return Promise.all(names.toSorted().map((name) => noteIn(join(folder, name))));
}

async function noteIn(path: string): Promise<VerifyInput['against'][number]> {
  return { name: path, note: await readFile(path, 'utf8').catch(unreadable(`--against ${path}`)) };
}

const unreadable =
  (what: string) =>
  (failure: unknown): never => {
    throw new UsageError(`${what} can't be read (${sentenceOf(failure)}).`);
  };

function told(verified: Verified): string {
  const {
    findings,
    origin,
    leaves,
    records,
    streams,
    control_events,
    from,
    to,
    checkpoints,
    incomparable,
    later,
    unlogged,
    since,
    until,
  } = verified;
  if (findings.length > 0) {
    const more = findings.length - SHOWN_MAX;
    const lines = findings.slice(0, SHOWN_MAX).map(findingLine);
    return `${[...lines, ...(more > 0 ? [`and ${more} more: --json lists them`] : [])].join('\n')}\n`;
  }
  const seen = `${records} records of ${streams} chains and ${control_events} control events`;
  const range = from === null ? '' : `, from ${from} to ${to}`;
  const apart = unlogged > 0 ? ` ${unlogged} of them came with no request in the log.` : '';
  const old = incomparable > 0 ? ` ${incomparable} are of a time that is no longer kept.` : '';
  const longer =
    later > 0 ? ` ${later} were told outside after the export: export again to compare them.` : '';
  const part =
    since === null && until === null
      ? ''
      : ` It is of requests that came from ${since ?? 'the beginning'} until ${until ?? 'the end'} only, says its MANIFEST.json, which nobody signed.`;
  return `It holds: ${seen}, under the checkpoint of ${leaves} leaves of ${origin}${range}; ${checkpoints} other checkpoints agree.${part}${old}${longer}${apart}\n`;
}

const TOLD_FROM = 50_000;

/** A line on stderr for each tenth of a long step. */
function teller(io: Io): VerifyInput['progress'] {
  const tenths = { leaves: 0, records: 0 };
  return (step, done, total) => {
    const tenth = total > 0 ? Math.floor((10 * done) / total) : 0;
    if (total < TOLD_FROM || tenth <= tenths[step]) return;
    tenths[step] = tenth;
    io.stderr(`${step}: ${Math.min(100, tenth * 10)}% of ${total}\n`);
  };
}
