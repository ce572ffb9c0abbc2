// Which circuits were not closed, in a small file beside the journal: a restart must not send everything at once to what
// was failing a moment ago.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Log, sentenceOf } from '../../kit/log.ts';

export interface CircuitsKept {
  /** Those of the process before this one. */
  readonly restored: readonly string[];
  /** Written at each change, which is rare; one that cannot be written is only logged. */
  keep(key: string, open: boolean): void;
}

const KEPT_MAX = 1_000;

export function openCircuitsKept(directory: string, log: Log): CircuitsKept {
  const path = join(directory, 'circuits.json');
  const restored = read(path);
  const open = new Set(restored);
  return {
    restored,
    keep(key, isOpen) {
      open.delete(key);
      if (isOpen) open.add(key);
      if (open.size > KEPT_MAX) open.delete(open.values().next().value as string);
      try {
        writeFileSync(`${path}.next`, JSON.stringify([...open]), { mode: 0o600 });
        renameSync(`${path}.next`, path);
      } catch (failure) {
        log.warn('circuits.not_kept', { failure: sentenceOf(failure) });
      }
    },
  };
}

/** Nothing where there is no such file, or none that can be read: then every circuit begins closed. */
function read(path: string): readonly string[] {
  try {
    const kept: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(kept) ? kept.filter((key) => typeof key === 'string').slice(0, KEPT_MAX) : [];
  } catch (failure) {
    if (failure instanceof Error) return [];
    throw failure;
  }
}
