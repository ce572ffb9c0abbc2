// A config that changes while a process runs: at SIGHUP, or when a file of it was changed and has stopped changing. It is
// taken as a whole or not at all; a bad one leaves the old in force and says so.

import { unwatchFile, watchFile } from 'node:fs';
import type { Config } from '../contract/config/config.ts';
import { ConfigError, formatProblem, type Problem } from '../contract/config/problems.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { Io } from './command.ts';
import { findConfig } from './config-file.ts';
import { unenforced } from './process.ts';

/** What only a restart changes, by its keys in the file. */
const AT_START_ONLY = [
  'fleet',
  'listen',
  'store',
  'journal',
  'retention',
  'audit',
  'collector',
  'timezone',
  'export',
] as const;

/** Looked at so often; a mounted ConfigMap changes by swapping a link, which only a look by name sees. */
const LOOK_EVERY_MS = 1_000;
/** A file that is still being written differs from itself so much later. */
const SETTLED_AFTER_MS = 300;

export interface Following {
  readonly flag: string | undefined;
  readonly io: Io;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Throws an Error with one sentence, changing nothing, when the process cannot run with it. */
  apply(config: Config): Promise<void> | void;
}

/** Follows until the returned function is called. */
export function followConfig(following: Following): () => void {
  const { io, log, flag, clock } = following;
  let current = following.config;
  let watched: readonly string[] = [];
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const found = () => findConfig({ flag, env: io.env });

  /** Two readings that agree: nobody is in the middle of writing it. */
  const settled = async (): Promise<Config> => {
    const { config } = await found();
    if (config.digest === current.digest) return config;
    await new Promise<void>((resolve) => void clock.after(SETTLED_AFTER_MS, resolve));
    const again = await found();
    return again.config.digest === config.digest ? again.config : settled();
  };

  const take = async (why: string): Promise<void> => {
    if (stopped) return;
    try {
      const next = await settled();
      if (next.digest === current.digest) return;
      const unkept = await unenforced(next);
      if (unkept.length > 0) throw new ConfigError(unkept);
      await following.apply(next);
      const waiting = AT_START_ONLY.filter(
        (key) => JSON.stringify(next[key]) !== JSON.stringify(current[key]),
      );
      if (waiting.length > 0) log.warn('config.needs_restart', { keys: waiting });
      log.info('config.in_force', { why, policy: next.digest, before: current.digest });
      current = next;
      watch();
    } catch (failure) {
      reject(failure);
    }
  };

  const reject = (failure: unknown): void => {
    const problems: readonly Problem[] = failure instanceof ConfigError ? failure.problems : [];
    for (const problem of problems) log.error('config.mistake', { problem: formatProblem(problem) });
    const reason = problems.length > 0 ? `${problems.length} mistakes` : sentenceOf(failure);
    log.error('config.rejected', { reason, in_force: current.digest });
  };

  /** One after the other, so that the last one written is the last one taken. */
  const soon = (why: string): void => {
    running = running.then(() => take(why));
  };
  const onChange = (): void => soon('changed');
  const onHangUp = (): void => soon('SIGHUP');

  const watch = (): void => {
    for (const file of watched) unwatchFile(file, onChange);
    watched = current.sources.map(({ file }) => file);
    for (const file of watched) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, onChange);
  };

  watch();
  process.on('SIGHUP', onHangUp);
  return () => {
    stopped = true;
    process.off('SIGHUP', onHangUp);
    for (const file of watched) unwatchFile(file, onChange);
  };
}
