// `export:` of the config. A copy follows the store: once a segment is loaded, and before the queue removes it, each
// backend's spool gets a second name of its file. That is all the main path does for it, and no failure here reaches it.
//
//   queue ──load──▶ store
//             └─ then link ──▶ spool ──▶ exporter ──▶ OTLP/HTTP       (one of each per backend)

import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportTarget } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import { makeFolders } from '../../kit/folders.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Secrets } from '../../kit/secrets.ts';
import type { Loader, Segment } from '../queue/loader.ts';
import { signalOf } from '../signals.ts';
import { openSpool, type Spool } from './export-spool.ts';
import type { ExportCounters, Exporter } from './exporter.ts';

export interface ExportState extends ExportCounters {
  readonly url: string;
  readonly waitingBytes: number;
  /** Segments that were given up because the spool was full, or could not be kept. */
  readonly dropped: number;
}

export interface Exports {
  /** The same loader, whose segments are copied once they have landed. */
  following(loader: Loader): Loader;
  state(): readonly ExportState[];
  /** Over all backends: bytes that wait, and how many segments and batches were given up. */
  totals(): { readonly waitingBytes: number; readonly givenUp: number };
  close(): Promise<void>;
}

export interface ExportsOptions {
  readonly targets: readonly ExportTarget[];
  readonly directory: string;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly spoolBytesMax?: number;
}

interface Way {
  readonly target: ExportTarget;
  readonly spool: Spool;
  readonly exporter: Exporter;
  dropped: number;
}

/** Opens a spool and an exporter for each target; spools of targets that are no longer configured are removed. */
export async function startExports(options: ExportsOptions): Promise<Exports> {
  const { targets, directory, log } = options;
  await makeFolders(directory, 0o700);
  const names = new Set(targets.map(({ url }) => nameOf(url)));
  for (const left of await readdir(directory)) {
    if (names.has(left)) continue;
    log.warn('export.abandoned', { spool: left, why: 'its backend is no longer in the config' });
    await rm(join(directory, left), { recursive: true, force: true });
  }
  const ways = await Promise.all(targets.map((target) => openWay(target, options)));

  async function keep(segment: Segment): Promise<void> {
    for (const way of ways) await keepFor(way, segment, log);
  }
  return {
    following: (loader) => ({
      ...loader,
      async load(segment) {
        const landed = await loader.load(segment);
        if (signalOf(segment.id) === 'traces') await keep(segment);
        return landed;
      },
    }),
    state: () =>
      ways.map(({ target, spool, exporter, dropped }) => ({
        url: target.url,
        waitingBytes: spool.bytes,
        dropped,
        ...exporter.counters,
      })),
    totals: () => ({
      waitingBytes: ways.reduce((sum, { spool }) => sum + spool.bytes, 0),
      givenUp: ways.reduce((sum, { dropped, exporter }) => sum + dropped + exporter.counters.refused, 0),
    }),
    async close() {
      await Promise.all(ways.map(({ exporter }) => exporter.close()));
    },
  };
}

/** What sends is loaded only when there is somewhere to send to. */
async function openWay(target: ExportTarget, options: ExportsOptions): Promise<Way> {
  const { startExporter } = await import('./exporter.ts');
  const { directory, spoolBytesMax } = options;
  const bounds = spoolBytesMax === undefined ? {} : { bytesMax: spoolBytesMax };
  const spool = await openSpool(join(directory, nameOf(target.url)), bounds);
  return { target, spool, exporter: startExporter({ ...options, target, spool }), dropped: 0 };
}

/** Never throws: a copy that can't be kept is counted and given up. */
async function keepFor(way: Way, segment: Segment, log: Log): Promise<void> {
  try {
    const { dropped } = await way.spool.keep(segment);
    if (dropped > 0) {
      way.dropped += dropped;
      log.error('export.dropped', { to: way.target.url, segments: dropped, inAll: way.dropped });
    }
    way.exporter.nudge();
  } catch (failure) {
    way.dropped += 1;
    log.error('export.not_kept', { to: way.target.url, segment: segment.id, failure: sentenceOf(failure) });
  }
}

const nameOf = (url: string): string => createHash('sha256').update(url).digest('hex').slice(0, 16);
