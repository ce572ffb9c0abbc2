// Brings control state's schema forward, whichever Postgres holds it: each file once, in the order of names, each whole or
// not at all.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../kit/log.ts';

const MIGRATIONS = join(import.meta.dirname, 'migrations');
const MADE = 'create table if not exists migrations (name text primary key)';

export interface Migrated {
  /** Several statements without parameters, as one transaction. */
  script(sql: string): Promise<void>;
  /** What `select name from migrations` answers. */
  done(): Promise<readonly string[]>;
}

export async function migrate(database: Migrated, log: Log): Promise<void> {
  await database.script(MADE);
  const done = new Set(await database.done());
  for (const name of readdirSync(MIGRATIONS).sort()) {
    if (!name.endsWith('.sql') || done.has(name)) continue;
    const script = readFileSync(join(MIGRATIONS, name), 'utf8');
    await database.script(`${script};\ninsert into migrations (name) values ('${name}')`);
    log.info('migrated', { name });
  }
}
