// What was in quarantine when this sidecar last heard, on disk: a sidecar that starts while the collector is away holds
// the same apart as before. Written whole or not at all.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { QuarantineLine } from '../../contract/quarantine.ts';
import type { Clock } from '../../kit/clock.ts';

export interface QuarantineFile {
  /** What is still in force; empty where nothing was ever kept. Throws an Error with one sentence for a broken file. */
  read(): readonly QuarantineLine[];
  /** Throws what the file system throws. */
  write(lines: readonly QuarantineLine[]): void;
}

interface Kept {
  /** By this machine's wall clock. */
  readonly kept_at_ms: number;
  readonly lines: readonly QuarantineLine[];
}

const NAME = 'quarantine.json';

export function openQuarantineFile(directory: string, clock: Clock): QuarantineFile {
  const path = join(directory, NAME);
  return {
    read() {
      const text = readOr(path);
      if (text === undefined) return [];
      const { kept_at_ms, lines } = parse(text, path);
      const passedMs = Math.max(0, clock.nowMs() - kept_at_ms); // a clock set back makes nothing last longer
      return lines.flatMap((line) => {
        if (line.ms_left === null) return [line];
        const left = line.ms_left - passedMs;
        return left > 0 ? [{ ...line, ms_left: left }] : [];
      });
    },
    write(lines) {
      const draft = `${path}.next`;
      const file = openSync(draft, 'w', 0o600);
      try {
        writeSync(file, JSON.stringify({ kept_at_ms: clock.nowMs(), lines } satisfies Kept));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(draft, path);
    },
  };
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failure;
  }
}

/** Ours appear whole: what does not read was changed by somebody, and who is held apart must not be guessed. */
function parse(text: string, path: string): Kept {
  try {
    const kept = JSON.parse(text) as Kept | null;
    if (kept && Number.isSafeInteger(kept.kept_at_ms) && Array.isArray(kept.lines)) return kept;
  } catch (failure) {
    if (!(failure instanceof SyntaxError)) throw failure;
  }
  throw new Error(`${path} does not say who is in quarantine: remove it once a collector answers that does.`);
}
