// Loading again what was set aside: once the cause is mended, somebody has the messages put back among the segments, and
// they land like any other. They lie in quarantine until they did, so no crash can lose them between here and there.
//
//   quarantine/X.message ──copied──▶ segments/X.0.segment ──landed──▶ taken out of quarantine
//
// X.0 is an id that no table has seen, so however long ago X was refused, no window of deduplication has passed it by; what
// some tables may have had of X is taken back first. Only a message of which a table has a part comes under its own id
// again, for the rest of it: exactly once, as long as the tables remember it.

import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { type Signal, signalOf } from '../signals.ts';
import { type Disk, writeDurably } from './disk.ts';
import type { Segment } from './loader.ts';
import type { Manifest } from './manifest.ts';
import type { Quarantine, SetAside } from './quarantine.ts';
import { readRecords, senderIn } from './record.ts';

export interface SetAsideMessage extends SetAside {
  readonly signal: Signal;
  /** Nanoseconds since 1970, and the token's name or '' for nobody; null of what is no message. */
  readonly received: { readonly atUnixNano: bigint; readonly sender: string } | null;
  /** Under which id it is about to be loaded again; null while nobody asked. */
  readonly comesAs: string | null;
}

export interface Again {
  /** What lies in quarantine, oldest first, at most so many. Throws what the disk throws. */
  list(countMax: number): Promise<readonly SetAsideMessage[]>;
  /**
   * Resolves once a message is durably among what is to be loaded, with the id it comes under; asked twice, that of the
   * first time. Null if no message of that name lies there; a sentence why it can't be now.
   */
  load(name: string): Promise<{ readonly as: string } | { readonly refused: string } | null>;
}

export interface AgainWorld {
  /** Of the segments. */
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly manifest: Manifest;
  readonly quarantine: Quarantine;
  /** It is to be loaded. */
  push(segment: Segment): void;
  /** Null, or why nothing more is taken. */
  refusal(): Promise<string | null>;
  isClosed(): boolean;
}

export function createAgain(world: AgainWorld): Again {
  const { directory, disk, clock, manifest, quarantine } = world;
  const isWaiting = (id: string): boolean => {
    const segment = manifest.segments.get(id);
    return segment?.again !== undefined && !segment.loaded;
  };

  /** By name: whoever waits for a thousand to land asks often, and their bytes never change. */
  let known = new Map<string, SetAsideMessage['received']>();
  const receivedOf = async ({ name, kind }: SetAside): Promise<SetAsideMessage['received']> => {
    const message = known.has(name) || kind !== 'message' ? null : await quarantine.read(name);
    return message ? receivedIn(message) : (known.get(name) ?? null);
  };
  const detailed = async (aside: SetAside): Promise<SetAsideMessage> => {
    const comesAs = [freshId(aside.name), aside.name].find(isWaiting) ?? null;
    return { ...aside, signal: signalOf(aside.name), received: await receivedOf(aside), comesAs };
  };

  /** False if it landed meanwhile. */
  const putBack = async (name: string, id: string): Promise<boolean> => {
    const bytes = await quarantine.read(name);
    if (bytes === null || isWaiting(id)) return bytes !== null;
    const path = join(directory, `${id}.segment`);
    // Its requests were put in order when they came, and their digests are on record under the id they came under.
    manifest.note({
      id,
      bytes: bytes.length,
      atMs: clock.nowMs(),
      loaded: false,
      split: [],
      sequenced: true,
      again: name,
    });
    try {
      await manifest.flush();
      await writeDurably(disk, path, directory, [bytes]);
    } catch (failure) {
      manifest.forget(id);
      throw failure;
    }
    world.push({ id, path, bytes: bytes.length });
    return true;
  };

  return {
    async list(countMax) {
      const found: SetAsideMessage[] = [];
      for (const aside of await quarantine.list(countMax)) found.push(await detailed(aside));
      known = new Map(found.map(({ name, received }) => [name, received]));
      return found;
    },
    async load(name) {
      const aside = await quarantine.find(name);
      if (aside?.kind !== 'message') return null;
      const as = aside.partly ? name : freshId(name);
      if (isWaiting(as)) return { as };
      const refused = world.isClosed() ? 'the queue is closed' : await world.refusal();
      if (refused !== null) return { refused };
      return (await putBack(name, as)) ? { as } : null;
    },
  };
}

/** That of a half which there can't be: a message is never halved. */
const freshId = (name: string): string => `${name}.0`;

function receivedIn(bytes: Buffer): SetAsideMessage['received'] {
  const [record] = readRecords(bytes).whole;
  if (!record) return null;
  const { receivedAtUnixNano, sender } = senderIn(bytes, record);
  return { atUnixNano: receivedAtUnixNano, sender };
}
