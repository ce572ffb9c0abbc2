// Join tokens: what a sidecar or a person shows to the collector. Only their SHA-256 is kept in the database; all of
// them stand in memory, because every request asks.

import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { invariant } from '../../kit/invariant.ts';
import type { Database } from './database.ts';

export interface Tokens {
  /** The name of the token, or null when it is none of ours or revoked. Takes as long for a near miss as for a far one. */
  authenticate(token: string): string | null;
  /** Makes a token; it is shown this once. `actor` is who asked for it. */
  create(name: string, actor: string): Promise<string>;
  /** False when there is no such token, or it is revoked already. */
  revoke(name: string, actor: string): Promise<boolean>;
}

const TOKENS_MAX = 1_000;
const JOIN = 'join';
const ENVIRONMENT = 'environment';
/** Whose records are the collector's own: control events count from it alone. */
export const COLLECTOR = 'collector';

/** Reads the tokens, and writes one to the file `token` of `directory` (mode 0600) when that holds none in force. */
export async function openTokens(options: {
  database: Database;
  directory: string;
  clock: Clock;
  /** Accepted beside the file's. */
  given: string | undefined;
}): Promise<Tokens> {
  const { database, clock, given } = options;
  const file = join(options.directory, 'token');
  const digests = new Map<string, Buffer>();
  const rows = await database.query<{ name: string; digest: string }>(
    'select name, digest from tokens where revoked_at is null limit $1',
    [TOKENS_MAX],
  );
  for (const { name, digest } of rows) digests.set(name, Buffer.from(digest, 'hex'));

  const tokens: Tokens = {
    authenticate(token) {
      const shown = digestOf(token);
      let found: string | null = null;
      for (const [name, digest] of digests) if (timingSafeEqual(digest, shown)) found = name;
      return found;
    },
    async create(name, actor) {
      invariant(name !== COLLECTOR, 'no token may speak for the collector');
      invariant(digests.size < TOKENS_MAX, `there are never more than ${TOKENS_MAX} join tokens`);
      const token = `ort_${randomBytes(32).toString('base64url')}`;
      const digest = digestOf(token);
      await database.query(
        `with made as (insert into tokens (name, digest, created_at) values ($1, $2, $3) returning name)
         select note_event('token_created', $4, '', '', jsonb_build_object('token', name), $3) from made`,
        [name, digest.toString('hex'), clock.nowMs(), actor],
      );
      digests.set(name, digest);
      return token;
    },
    async revoke(name, actor) {
      digests.delete(name);
      const revoked = await database.query(
        `with gone as (update tokens set revoked_at = $2 where name = $1 and revoked_at is null returning name)
         select note_event('token_revoked', $3, '', '', jsonb_build_object('token', name), $2) from gone`,
        [name, clock.nowMs(), actor],
        'order',
      );
      return revoked.length > 0;
    },
  };

  const written = readOr(file);
  if (written === undefined || tokens.authenticate(written) === null) {
    writeSecret(file, await tokens.create(await freeName(database), COLLECTOR));
  }
  if (given) digests.set(ENVIRONMENT, digestOf(given));
  return tokens;
}

const digestOf = (token: string) => hash('sha256', token, 'buffer');

/** `join`, then `join-2`…: a revoked token keeps its name for the record. */
async function freeName(database: Database): Promise<string> {
  const [row] = await database.query<{ made: string }>(
    `select count(*)::text as made from tokens where name = $1 or name like $1 || '-%'`,
    [JOIN],
  );
  const made = Number(row?.made ?? 0);
  return made === 0 ? JOIN : `${JOIN}-${made + 1}`;
}

/** Written beside and moved into place: a reader sees a whole token or none. */
function writeSecret(file: string, token: string): void {
  const draft = `${file}.draft`;
  writeFileSync(draft, `${token}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failure;
  }
}
