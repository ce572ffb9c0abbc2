// How far the records were shipped, on the disk before each batch is sent and after it was acknowledged. Two files take
// turns, so that one that turned bad leaves the other, which is one step behind: a resend then has the same bytes still.

import { hash } from 'node:crypto';
import { join } from 'node:path';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Disk } from './disk.ts';
import { isBefore, type Position } from './journal-frames.ts';

export interface Cursor {
  readonly acknowledged: Position;
  /** The end of the batch that was sent last and not acknowledged; a resend ends there too. */
  readonly cut: Position | null;
  /** Calls whose ends were sent and never synced: where a power cut takes them, they are ended all the same. */
  readonly unsynced: readonly string[];
}

export interface Shipped {
  readonly cursor: Cursor;
  /** How far others may know what the journal holds. */
  readonly knownTo: Position;
  /** On the disk when it resolves. Rejects, and changes nothing, when it cannot be written. */
  keep(next: Cursor): Promise<void>;
  /** Goes on from here without writing it down: nothing was sent. */
  skip(next: Cursor): void;
}

interface Kept extends Cursor {
  /** Of the two files, the one with the higher turn holds. */
  readonly turn: number;
}

const START: Kept = { acknowledged: { segment: 0, offset: 0 }, cut: null, unsynced: [], turn: 0 };
const NAMES = ['shipped.json', 'shipped.1.json'] as const;

/** Never throws: where neither file can be read it begins with the oldest record that is left, and says so. */
export function openShipped(disk: Disk, directory: string, log: Log): Shipped {
  const found = NAMES.map((name) => read(disk, join(directory, name), log));
  const kept = found
    .filter((each) => each !== null)
    .reduce((newest, each) => (each.turn >= newest.turn ? each : newest), START);
  let cursor: Cursor = kept;
  let { turn } = kept;
  return {
    get cursor() {
      return cursor;
    },
    get knownTo() {
      const { acknowledged, cut } = cursor;
      return cut && isBefore(acknowledged, cut) ? cut : acknowledged;
    },
    async keep(next) {
      await disk.replace(join(directory, NAMES[(turn + 1) % 2]!), textOf({ ...next, turn: turn + 1 }));
      turn += 1;
      cursor = next;
    },
    skip(next) {
      cursor = next;
    },
  };
}

const textOf = (kept: Kept): string => {
  const text = JSON.stringify(kept);
  return `${text}\n${hash('sha256', text, 'hex')}\n`;
};

function read(disk: Disk, path: string, log: Log): Kept | null {
  try {
    const [text = '', digest] = disk.read(path).toString().split('\n');
    if (digest !== undefined && digest !== hash('sha256', text, 'hex'))
      throw new Error('its digest is wrong');
    return keptIn(JSON.parse(text));
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT')
      log.error('shipped.damaged', { path, failure: sentenceOf(failure) });
    return null;
  }
}

/** An older release wrote neither a turn nor a digest, nor what was unsynced. */
function keptIn(value: unknown): Kept {
  const { acknowledged, cut = null, unsynced = [], turn = 0 } = value as Partial<Kept>;
  if (!isPosition(acknowledged) || !(cut === null || isPosition(cut)) || !Number.isSafeInteger(turn))
    throw new Error('it holds no position');
  return { acknowledged, cut, unsynced, turn };
}

const isPosition = (value: unknown): value is Position => {
  const { segment, offset } = (value ?? {}) as Partial<Position>;
  return Number.isSafeInteger(segment) && Number.isSafeInteger(offset);
};
