// `outrider store`: a backup of everything the collector knows, and a collector made of one; how long what is kept. While a
// collector runs it makes the backup itself, in its data directory; here the folder is only moved to where it was asked for.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ServerAddress } from '../collector/store/server/reach.ts';
import type { BackupState } from '../contract/backup.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';
import { DEFAULT_DATA, logTo } from './process.ts';
import { erase } from './store/erase.ts';
import type { StoreAsked } from './store/flags.ts';
import { hold } from './store/hold.ts';
import { quarantine } from './store/quarantine.ts';
import { rebuild } from './store/rebuild.ts';
import { retention } from './store/retention.ts';

export const help = `outrider store: what the collector knows: back it up, restore it, keep it longer

Usage: outrider store backup DIR [--data DIR] [--collector URL] [--json]
       outrider store restore DIR [--clickhouse URL [--cluster NAME]] [--data DIR] [--json]
       outrider store retention [run [--trust-clock]] [--json]
       outrider store hold [list] [--ended] [--json]
       outrider store hold add [--agent NAME] [--from TIME] [--until TIME] --reason TEXT
       outrider store hold end ID --reason TEXT
       outrider store erase HASH…|--call ID --reason TEXT
       outrider store rebuild NAME…|all [--json]
       outrider store quarantine [list|load ID…|all] [--json]

  backup DIR        a folder that is not there yet: tables, ledger, and what the queue remembers, as of one moment;
                    of what is on a server it says the command to run there
                    The collector may run (it is asked) or not (its data directory is opened here)
  restore DIR       into a data directory that holds no collector; everything is verified before it is used
  retention         how long what is kept, and what is past its time; run drops that now, not within the hour
  --trust-clock     though the clock jumped since the last run: it is right
  hold              legal holds: what stays though its time is over, by whole days or months of each table; all of
                    the fleet's or one agent's, from --from to before --until
  erase             what was said, by the hashes that spans name (sha256:…) or by a call's id; spans stay
  rebuild           tables that are counted from others, made anew from those; requests wait in the queue meanwhile
  quarantine        messages that the store could not take, each with the reason; load tries them again, once the cause
                    is mended, and each lands once. Agents are held apart by \`outrider quarantine\`
  --reason TEXT     kept on record, with who you are by your join token
  --clickhouse URL  moves the tables into an empty database of a ClickHouse server instead, and the rest into the data
                    directory: https://USER@HOST:8443/DATABASE, or env:NAME or file:PATH, where a URL with a password is
  --cluster NAME    spreads them over that cluster of the server
  --data DIR        the collector's data directory (OUTRIDER_DATA; else ${DEFAULT_DATA})
  --collector URL   the control API of the collector that runs (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --json            the summary as JSON

Example: outrider store backup /backups/monday && outrider store restore /backups/monday --data ./restored
         outrider store restore /backups/monday --data ./moved --clickhouse env:CLICKHOUSE_URL
         outrider store hold add --agent trend-scout --from 2026-03-01 --reason "case 4711"
         outrider store quarantine load all
`;

interface Flags {
  readonly data: string;
  readonly collector: string | undefined;
  readonly json: boolean;
}

/** What is asked of a collector that runs. */
const ASKING: Readonly<Record<string, (asked: StoreAsked) => Promise<number>>> = {
  retention,
  hold,
  erase,
  rebuild,
  quarantine,
};

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      collector: { type: 'string' },
      clickhouse: { type: 'string' },
      cluster: { type: 'string' },
      json: { type: 'boolean', default: false },
      agent: { type: 'string' },
      call: { type: 'string' },
      from: { type: 'string' },
      until: { type: 'string' },
      reason: { type: 'string' },
      ended: { type: 'boolean' },
      'trust-clock': { type: 'boolean' },
    },
  });
  const [name = ''] = positionals;
  const asking = Object.hasOwn(ASKING, name) ? ASKING[name] : undefined;
  if (asking)
    return asking({ rest: positionals.slice(1), values, collector: collectorClient(values, io), io });
  const [action, folder, ...rest] = positionals;
  if ((action !== 'backup' && action !== 'restore') || folder === undefined || rest.length > 0)
    throw new UsageError(
      `Write \`outrider store backup DIR\`, \`outrider store restore DIR\` or \`outrider store ${Object.keys(ASKING).join('|')}\`; see --help.`,
    );
  refuseIdleFlags(values, action === 'restore' ? ['clickhouse', 'cluster'] : [], `store ${action}`);
  const data = values.data ?? (io.env.OUTRIDER_DATA || DEFAULT_DATA);
  const flags = { data, collector: values.collector, json: values.json };
  if (action === 'backup') await backup(resolve(folder), flags, io);
  else await restore(resolve(folder), { ...flags, ...serverOf(values, io) }, io);
  return EXIT.done;
}

async function backup(to: string, flags: Flags, io: Io): Promise<void> {
  const files = await import('../collector/edges/backup-files.ts');
  const { refuseUnfit } = await import('./store/backup-place.ts');
  await refuseUnfit(to, flags.data);
  const made = await makeBackup(to, flags, io);
  const manifest = await takeOver(made, to, files);
  const rows = Object.values(manifest.rows).reduce((sum, count) => sum + count, 0);
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const { elsewhere = [] } = manifest;
  const there = elsewhere.map(
    ({ part, place, run: command }) => `On ${place}: ${part}. Run there now:\n  ${command}`,
  );
  const text = [`Backed up ${rows} rows in ${megabytes(bytes)} to ${to}.`, ...there].join('\n');
  summarise(io, flags, text, { path: to, rows, bytes, elsewhere });
}

/** The finished backup's own folder. */
async function makeBackup(to: string, flags: Flags, io: Io): Promise<string> {
  const named = flags.collector ?? io.env.OUTRIDER_COLLECTOR;
  if (named) return askFor(collectorClient(flags, io), to, io);
  const { withStoppedCollector } = await import('./stopped-collector.ts');
  const { createBackups } = await import('../collector/backup.ts');
  const offline = await withStoppedCollector(flags.data, logTo(io, 'store'), async (stopped) => {
    const backups = createBackups(stopped);
    const told = teller(io);
    backups.start('command line');
    const watch = setInterval(() => tellState(backups.state(), told), POLL_MS);
    await backups.ended().finally(() => clearInterval(watch));
    return madeOrThrow(backups.state());
  });
  return offline ?? askFor(collectorClient(flags, io), to, io);
}

const POLL_MS = 250;

async function askFor(collector: CollectorClient, to: string, io: Io): Promise<string> {
  const { refuseWithin } = await import('./store/backup-place.ts');
  const told = teller(io);
  let state = await collector.post<BackupState>('/v1/store/backup');
  await refuseWithin(to, resolve(state.path, '../..')); // its own may be another than --data
  const { id } = state;
  while (state.step !== 'done' && state.step !== 'failed') {
    tellState(state, told);
    await new Promise((resume) => setTimeout(resume, POLL_MS));
    state = await collector.get<BackupState>('/v1/store/backup');
    if (state.id !== id) throw new Error('Another backup was begun meanwhile: try again.');
  }
  return madeOrThrow(state);
}

function madeOrThrow(state: BackupState | null): string {
  if (state?.step === 'done') return state.path;
  throw new Error(`There is no backup: ${state?.failure ?? 'the collector stopped'}`);
}

async function takeOver(
  made: string,
  to: string,
  files: typeof import('../collector/edges/backup-files.ts'),
) {
  const manifest = await files.readManifest(made).catch(() => {
    throw new Error(
      `The backup lies in ${made} on the collector's machine: run this there to have it moved.`,
    );
  });
  await files.removeFolder(to);
  await files.makeFolder(resolve(to, '..'));
  await files.moveBackup(made, to, manifest);
  return manifest;
}

interface ServerFlags {
  readonly clickhouse?: string | undefined;
  readonly cluster?: string | undefined;
}

/** Nothing, when the tables stay embedded. */
function serverOf({ clickhouse, cluster }: ServerFlags, io: Io): { server?: ServerAddress } {
  if (clickhouse === undefined) {
    if (cluster !== undefined) throw new UsageError('--cluster is of a server: name it with --clickhouse.');
    return {};
  }
  return { server: { url: urlAt(clickhouse, io), cluster: cluster ?? null } };
}

/** A password on a command line is read by whoever lists processes. */
function urlAt(text: string, { env }: Io): string {
  const [, from, place] = /^(env|file):(.+)$/.exec(text) ?? [];
  if (from === 'file') return readFileSync(place!, 'utf8').trim();
  const url = from === 'env' ? env[place!] : text;
  if (!url) throw new UsageError(`${text}: nothing is there; put the server's URL into it.`);
  if (from === undefined && URL.canParse(url) && new URL(url).password !== '')
    throw new UsageError(
      'Put a URL with a password where others cannot read it: --clickhouse env:NAME or file:PATH.',
    );
  return url;
}

async function restore(
  from: string,
  flags: Flags & { readonly server?: ServerAddress },
  io: Io,
): Promise<void> {
  const { restoreBackup } = await import('../collector/restore.ts');
  const { systemClock } = await import('../kit/clock.ts');
  const manifest = await restoreBackup({
    from,
    dataDirectory: flags.data,
    ...(flags.server ? { server: flags.server } : {}),
    clock: systemClock,
    log: logTo(io, 'store'),
    progress: teller(io),
  });
  const rows = Object.values(manifest.rows).reduce((sum, count) => sum + count, 0);
  const next = flags.server
    ? ' Name the server under store.clickhouse before the collector starts there.'
    : '';
  const { elsewhere = [] } = manifest;
  const there = elsewhere.map(
    ({ part, place }) => `\nOn ${place}: ${part}. Restore that there before the collector starts.`,
  );
  const text = `Restored ${rows} rows of ${manifest.made_at} into ${flags.data}, and they are what was backed up.${next}`;
  summarise(io, flags, text + there.join(''), {
    data: flags.data,
    made_at: manifest.made_at,
    rows,
    elsewhere,
  });
}

function summarise(io: Io, { json }: Flags, text: string, facts: object): void {
  io.stdout(json ? `${JSON.stringify(facts)}\n` : `${text}\n`);
}

type Tell = (step: string, bytes: number, bytesTotal: number) => void;

/** A line on stderr for each step, and for each tenth of a long one. */
function teller(io: Io): Tell {
  let last = '';
  return (step, bytes, bytesTotal) => {
    const tenth = bytesTotal > 0 ? Math.floor((10 * bytes) / bytesTotal) : 0;
    const line = bytesTotal > 0 ? `${step}: ${tenth * 10}% of ${megabytes(bytesTotal)}` : step;
    if (line !== last) io.stderr(`${line}\n`);
    last = line;
  };
}

function tellState(state: BackupState | null, tell: Tell): void {
  if (state) tell(state.step, state.bytes, state.bytes_total);
}

const megabytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MB`;
