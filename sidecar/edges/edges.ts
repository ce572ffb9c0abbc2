// What a sidecar holds on to in the outside world besides its upstreams, opened together because each leans on another:
// a folder of its own, the journal in it, the collector, and the shipper that carries one to the other.

import { join } from 'node:path';
import type { Config } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import { openDataDirectory } from '../../kit/data-directory.ts';
import type { Lifecycle } from '../../kit/lifecycle.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { randomHex } from '../accept/lineage.ts';
import { type Book, openBook, spansOf } from '../book.ts';
import { headerOf, type Recovered } from '../book-frames.ts';
import { createDeadLetters, type DeadLetters } from '../dead-letters/dead-letters.ts';
import { type CircuitsKept, openCircuitsKept } from './circuits-kept.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';
import { systemDisk } from './disk.ts';
import { type Journal, openJournal } from './journal.ts';
import { createKeptBodies, type KeptBodies } from './kept-bodies.ts';
import { openQuarantineFile, type QuarantineFile } from './quarantine-file.ts';
import { openShipped, type Shipped } from './shipped.ts';
import { createShipper, type Shipper } from './shipper.ts';

export interface Edges {
  readonly book: Book;
  readonly journal: Journal;
  readonly recovered: Recovered;
  readonly control: ControlPlane;
  readonly shipper: Shipper;
  readonly circuitsKept: CircuitsKept;
  readonly quarantineFile: QuarantineFile;
  readonly keptBodies: KeptBodies;
  readonly deadLetters: DeadLetters;
}

export interface EdgesOptions {
  readonly config: Config;
  /** The root; this sidecar takes a folder of its own in it. */
  readonly dataDirectory: string;
  readonly agent: string | null;
  readonly instance: string;
  /** The config's when not given. */
  readonly collectorUrl?: string;
  readonly otlpUrl?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly log: Log;
}

const SHIP_AT_STOP_MS = 5_000;
/** How often what found no room in the journal is tried again. */
const OWED_AGAIN_MS = 1_000;

/** Throws DataDirectoryTaken when another sidecar has the folder. */
export function openEdges(options: EdgesOptions): Edges {
  const { clock, log, instance, lifecycle } = options;
  const directory = openDataDirectory(folderOf(options));
  lifecycle.onStop('data directory', directory.release);
  const shipped = openShipped(systemDisk, directory.path, log);
  const records = openRecords(options, directory.path, shipped, () => shipper.nudge());
  const { book, journal, recovered } = records;
  lifecycle.onStop('journal', () => {
    records.stop();
    return journal.close();
  });
  const control = openControlPlane(options, () => shipper.again());
  lifecycle.onStop('control plane', () => control.close());
  const resource = { 'service.name': 'outrider-sidecar', 'service.instance.id': instance };
  const shipper = createShipper({
    journal,
    shipped,
    clock,
    log,
    ship: (body) => control.ship(body),
    encode: (frames) => spansOf(frames, resource),
    callOf: ({ payload }) => headerOf(payload).call,
  });
  lifecycle.onStop('shipper', async () => {
    await shipper.drain(SHIP_AT_STOP_MS);
    book.writeOwed();
    await shipper.drain(SHIP_AT_STOP_MS);
    shipper.stop();
  });
  const circuitsKept = openCircuitsKept(directory.path, log);
  const quarantineFile = openQuarantineFile(directory.path, clock);
  const keptBodies = createKeptBodies({
    directory: join(directory.path, 'dead-letters'),
    put: (name, bytes) => control.putBody(name, bytes),
    clock,
    log,
  });
  lifecycle.onStop('kept bodies', async () => {
    await keptBodies.send();
    keptBodies.stop();
  });
  const deadLetters = createDeadLetters((bytes) => keptBodies.keep(bytes));
  return {
    book,
    journal,
    recovered,
    control,
    shipper,
    circuitsKept,
    quarantineFile,
    keptBodies,
    deadLetters,
  };
}

function openRecords(
  { config, clock, log, agent, instance }: EdgesOptions,
  directory: string,
  { knownTo, cursor }: Shipped,
  ended: () => void,
) {
  const { sizeBytesMax, durability } = config.journal;
  let stop = (): void => undefined;
  const opened = openBook(
    (snapshot) => openJournal({ directory, sizeBytesMax, knownTo, clock, log, snapshot }),
    {
      strict: durability === 'strict',
      endedElsewhere: cursor.unsynced,
      newStream: () => `${agent ?? 'sidecar'}/${instance}/${randomHex(4)}`,
      ended,
      lost: (failure) => log.error('record.not_written', { failure: sentenceOf(failure) }),
      later(call) {
        stop = clock.after(OWED_AGAIN_MS, call);
      },
    },
  );
  return { ...opened, stop: () => stop() };
}

function openControlPlane(options: EdgesOptions, otlpMoved: () => void): ControlPlane {
  const { config, env, clock } = options;
  const controlUrl = options.collectorUrl ?? config.collector;
  return createControlPlane({
    controlUrl,
    otlpUrl: options.otlpUrl ?? besideControl(controlUrl, config),
    tokenFile: join(options.dataDirectory, 'token'),
    token: env.OUTRIDER_TOKEN || undefined,
    clock,
    otlpMoved,
  });
}

function folderOf({ dataDirectory, agent, instance }: EdgesOptions): string {
  const safe = (name: string): string => name.replace(/[^A-Za-z0-9._-]/g, '_');
  return agent === null
    ? join(dataDirectory, 'sidecars', safe(instance))
    : join(dataDirectory, 'agents', safe(agent), safe(instance));
}

/** The OTLP receiver is beside the control API, on the port the config names. */
function besideControl(controlUrl: string, config: Config): string {
  const url = new URL(controlUrl);
  url.port = config.listen.otlp.slice(config.listen.otlp.lastIndexOf(':') + 1);
  return url.origin;
}
