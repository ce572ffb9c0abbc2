// What is kept of dead letters on its way to the collector: one file each beside the journal, named by its content, gone
// once the collector has it. Bounded; what waits when the sidecar dies goes at the next start.

import { readdirSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { makeFoldersSync } from '../../kit/folders.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { nameOf } from '../dead-letters/dead-letters.ts';

export interface KeptBodies {
  /** Its name, or null where there is no room. */
  keep(bytes: Buffer): string | null;
  /** Resolves once everything kept so far is with the collector, or that failed. */
  send(): Promise<void>;
  stop(): void;
}

export interface KeptBodiesOptions {
  /** Of its own; made when there is none. */
  readonly directory: string;
  readonly bytesMax?: number;
  put(name: string, bytes: Buffer): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

const BYTES_MAX = 64 * 1024 * 1024;
const AGAIN_MS_MIN = 500;
const AGAIN_MS_MAX = 30_000;
const NAME = /^[0-9a-f]{64}$/;

export function createKeptBodies(options: KeptBodiesOptions): KeptBodies {
  const { directory, put, clock, log, bytesMax = BYTES_MAX } = options;
  const waiting = waitingIn(directory);
  let total = [...waiting.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  let sending: Promise<void> | null = null;
  let again: (() => void) | null = null;
  let againMs = AGAIN_MS_MIN;
  let lastFailure = '';
  let stopped = false;

  const sendAll = async (): Promise<void> => {
    for (const [name, { bytes, written }] of waiting) {
      const path = join(directory, name);
      const content = (await written) ?? (await readFile(path).catch((failure: Error) => failure));
      if (Buffer.isBuffer(content)) await sendOne(name, content);
      else log.warn('kept_body.lost', { name, failure: sentenceOf(content) }); // nothing behind it waits for it
      await rm(path, { force: true });
      waiting.delete(name);
      total -= bytes;
    }
    againMs = AGAIN_MS_MIN;
    lastFailure = '';
  };

  const sendOne = async (name: string, content: Buffer): Promise<void> => {
    if (nameOf(content) === name) await put(name, content);
    else log.warn('kept_body.damaged', { name });
  };

  const failedToSend = (failure: unknown): void => {
    const sentence = sentenceOf(failure);
    if (sentence !== lastFailure)
      log.warn('kept_bodies.not_sent', { failure: sentence, waiting: waiting.size });
    lastFailure = sentence;
    schedule(againMs);
    againMs = Math.min(againMs * 2, AGAIN_MS_MAX);
  };

  const schedule = (delayMs: number): void => {
    if (stopped) return;
    again ??= clock.after(delayMs, () => {
      again = null;
      void send();
    });
  };

  const send = (): Promise<void> => {
    sending ??= sendAll()
      .catch(failedToSend)
      .finally(() => {
        sending = null;
        if (waiting.size > 0) schedule(againMs);
      });
    return sending;
  };

  if (waiting.size > 0) schedule(0);
  return {
    keep(bytes) {
      const name = nameOf(bytes);
      if (waiting.has(name)) return name;
      if (total + bytes.length > bytesMax) return null;
      total += bytes.length;
      waiting.set(name, { bytes: bytes.length, written: writeWhole(join(directory, name), bytes) });
      schedule(0);
      return name;
    },
    send,
    stop() {
      stopped = true;
      again?.();
    },
  };
}

interface Waiting {
  readonly bytes: number;
  /** Why it could not be written, or null. */
  readonly written: Promise<Error | null>;
}

function waitingIn(directory: string): Map<string, Waiting> {
  makeFoldersSync(directory, 0o700);
  const names = readdirSync(directory).filter((name) => NAME.test(name));
  const written = Promise.resolve(null);
  return new Map(names.map((name) => [name, { bytes: statSync(join(directory, name)).size, written }]));
}

/** Whole or not at all. */
async function writeWhole(path: string, bytes: Buffer): Promise<Error | null> {
  try {
    await writeFile(`${path}.next`, bytes, { mode: 0o600 });
    await rename(`${path}.next`, path);
    return null;
  } catch (failure) {
    return failure as Error;
  }
}
