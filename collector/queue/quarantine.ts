// Where bytes go that can't be loaded: kept beside their reason for a person to look at, never dropped. A message goes from
// here only once it was loaded again (again.ts).
//
//   000000000042-1f3a9c07.0.message   one request, whole          000000000042-1f3a9c07-8192.damage   bytes that are none
//   000000000042-1f3a9c07.0.reason    why, in a line              000000000043-5be01d22.unread        a file the disk lost

import { join } from 'node:path';
import { type Disk, writeDurably } from './disk.ts';

const SET_ASIDE_KINDS = ['message', 'damage', 'unread'] as const;
type SetAsideKind = (typeof SET_ASIDE_KINDS)[number];

/** Said in a second line of a reason whose message the store has something of. */
const PARTLY = 'partly in the store';

export interface SetAside {
  /** Of the segment that it was, or was a part of; of damage with the place where it began. */
  readonly name: string;
  readonly kind: SetAsideKind;
  readonly bytes: number;
  readonly setAsideAtMs: number;
  readonly reason: string;
  /** The store has something of it, so that it may only come again under its own name. */
  readonly partly: boolean;
}

export interface Quarantine {
  /** How often something was set aside in this life. */
  readonly count: number;
  /** How much lies there. */
  readonly lying: number;
  /** Resolves once a message and the reason are durable. The same name again replaces the same bytes. */
  keep(name: string, bytes: Buffer, reason: string, partly: boolean): Promise<void>;
  /** The same for bytes that are no message any more. */
  keepDamage(name: string, bytes: Buffer, reason: string): Promise<void>;
  /** The same for a file that can't be read: it is moved as it is. One that is gone is no error: it was moved before. */
  move(name: string, path: string, reason: string): Promise<void>;
  /** Oldest first, at most so many. */
  list(countMax: number): Promise<readonly SetAside[]>;
  /** The one of that name; null if it lies there no more. */
  find(name: string): Promise<SetAside | null>;
  /** A message's bytes; null if it lies there no more. Throws what else the disk throws. */
  read(name: string): Promise<Buffer | null>;
  /** A message is in the store. One that is not there is no error. */
  release(name: string): Promise<void>;
}

/** Throws what the disk throws. */
export async function openQuarantine(disk: Disk, directory: string): Promise<Quarantine> {
  const lying = new Map<string, SetAsideKind>();
  let count = 0;
  for (const file of await disk.list(directory)) {
    const [name, kind] = partsOf(file);
    if (kind) lying.set(name, kind);
  }

  const pathOf = (name: string, ending: SetAsideKind | 'reason') => join(directory, `${name}.${ending}`);
  const explain = (name: string, reason: string, partly = false) => {
    const lines = partly ? [reason, PARTLY] : [reason];
    return writeDurably(disk, pathOf(name, 'reason'), directory, [Buffer.from(`${lines.join('\n')}\n`)]);
  };
  const keepAs = async (kind: SetAsideKind, name: string, bytes: Buffer) => {
    await writeDurably(disk, pathOf(name, kind), directory, [bytes]);
    lying.set(name, kind);
    count += 1;
  };
  const find = async (name: string): Promise<SetAside | null> => {
    const kind = lying.get(name);
    const measured = kind === undefined ? null : await disk.measure(pathOf(name, kind)).catch(nullIfGone);
    if (kind === undefined || measured === null) {
      lying.delete(name); // somebody looked, and removed it
      return null;
    }
    const { bytes, writtenAtMs } = measured;
    const said = await disk.read(pathOf(name, 'reason')).catch(nullIfGone);
    const [reason = '', ...more] = (said ?? '').toString().split('\n');
    return { name, kind, bytes, setAsideAtMs: writtenAtMs, reason, partly: more.includes(PARTLY) };
  };

  return {
    get count() {
      return count;
    },
    get lying() {
      return lying.size;
    },
    async keep(name, bytes, reason, partly) {
      await explain(name, inOneLine(reason), partly);
      await keepAs('message', name, bytes);
    },
    async keepDamage(name, bytes, reason) {
      await explain(name, reason);
      await keepAs('damage', name, bytes);
    },
    async move(name, path, reason) {
      await explain(name, inOneLine(reason));
      const moved = await disk.rename(path, pathOf(name, 'unread')).catch(nullIfGone);
      if (moved !== null) {
        lying.set(name, 'unread');
        count += 1;
      }
      await disk.syncDirectory(directory);
    },
    async list(countMax) {
      const found: SetAside[] = [];
      for (const name of [...lying.keys()].sort()) {
        if (found.length === countMax) break;
        const aside = await find(name);
        if (aside) found.push(aside);
      }
      return found;
    },
    find,
    read: (name) => disk.read(pathOf(name, 'message')).catch(nullIfGone),
    async release(name) {
      if (lying.get(name) !== 'message') return;
      await disk.remove(pathOf(name, 'message'));
      await disk.remove(pathOf(name, 'reason'));
      await disk.syncDirectory(directory);
      lying.delete(name);
    },
  };
}

/** It may have landed a moment ago, or somebody has tidied up. */
function nullIfGone(failure: unknown): null {
  if (failure instanceof Error && 'code' in failure && failure.code === 'ENOENT') return null;
  throw failure;
}

/** An engine's words may have several. */
const inOneLine = (reason: string): string => reason.replace(/\s*\n\s*/g, ' ');

function partsOf(file: string): [name: string, kind: SetAsideKind | undefined] {
  const at = file.lastIndexOf('.');
  const ending = file.slice(at + 1);
  return [file.slice(0, at), SET_ASIDE_KINDS.find((kind) => kind === ending)];
}
