// One short demo for a test file to look at: `outrider demo --keep` as a real process. Its providers and its collector stay
// up while the checks run; agents and sidecars are gone by then.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll } from 'vitest';
import { copyEmptyStores } from '../support/empty-stores.ts';
import { control, rows } from '../support/processes.ts';

const CLI = new URL('../../bin/outrider.js', import.meta.url).pathname;
const START_MS = 240_000;
/** Sidecars end with the summary; so long before, each was scraped. */
const SCRAPED_MS = 1_000;

export interface Finding {
  readonly about: string;
  readonly happened: string;
  readonly recorded: string;
  readonly ok: boolean;
}

export interface Demo {
  readonly figures: readonly { readonly figure: string; readonly here: string }[];
  readonly findings: readonly Finding[];
  /** The collector's addresses: otlp, control, sql. */
  readonly listen: Readonly<Record<string, string>>;
  readonly config: string;
  readonly data: string;
  /** When its books were closed: agents and sidecars were still up. */
  readonly closedMs: number;
  query<T = Record<string, string>>(sql: string): Promise<T[]>;
  /** GET from the control API. */
  get<T>(path: string): Promise<T>;
}

/** Starts one in `directory` before the tests of the file or block where it is called, and ends it after them. */
export function withDemo(articles: number, directory: string): () => Demo {
  let child: ChildProcess;
  let found: Demo | undefined;
  beforeAll(async () => {
    copyEmptyStores(join(directory, 'data'));
    const args = [
      'demo',
      '--articles',
      String(articles),
      '--minutes',
      '0',
      '--data',
      directory,
      '--keep',
      '--json',
    ];
    child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    found = await summaryOf(child);
  }, START_MS);
  afterAll(async () => {
    if (child.kill('SIGTERM')) await once(child, 'exit');
  }, 60_000);
  return () => found!;
}

function summaryOf(child: ChildProcess): Promise<Demo> {
  let said = '';
  child.stderr!.on('data', (text) => {
    said += String(text);
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The demo ended with ${code}:\n${said}`)));
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const summary = JSON.parse(text) as Omit<Demo, 'closedMs' | 'query' | 'get'>;
      resolve({
        ...summary,
        closedMs: Date.now() - SCRAPED_MS,
        query: (sql) => rows(summary.listen.sql!, sql),
        get: (path) => control(summary.listen.control!, summary.data, path),
      });
    });
  });
}
