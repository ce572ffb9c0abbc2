// Tokens: what a sidecar, a person or an exporter shows to the collector. Only their SHA-256 is kept in the database; all
// in force stand in memory by it, because every request asks.

import { hash, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Claims, TokenKind, TokenLine, TokenMade, TokenOrder } from '../../contract/token.ts';
import type { Clock } from '../../kit/clock.ts';
import { invariant } from '../../kit/invariant.ts';
import type { Database } from './database.ts';
import type { SharedList } from './neighbours.ts';

/** Whose token was shown. */
export interface Bearer {
  readonly name: string;
  readonly kind: TokenKind;
  readonly claims: Claims;
}

export interface Tokens extends SharedList {
  /** Null when it is none of ours, revoked or expired. */
  authenticate(token: string): Bearer | null;
  /** Whether one of that name is. */
  isInForce(name: string): boolean;
  /** The token is shown this once. `actor` is who asked. Null when its name is taken, also by one that was revoked. */
  create(order: TokenOrder, actor: string): Promise<TokenMade | null>;
  /** False when there is no such token, or it is revoked already. Whoever watches is told before it resolves. */
  revoke(name: string, actor: string): Promise<boolean>;
  /** Those in force, the oldest first. */
  list(): readonly TokenLine[];
  /** `look` is called whenever a token may have been revoked. */
  watch(look: () => void): void;
}

export const TOKENS_MAX = 1_000;
const JOIN = 'join';
const ENVIRONMENT = 'environment';
/** Whose records are the collector's own: control events count from it alone. */
export const COLLECTOR = 'collector';
/** Names that no order may take. */
export const isReserved = (name: string): boolean => /^(collector|environment|join(-\d+)?)$/.test(name);

interface Kept extends Bearer {
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

/** Reads the tokens, and writes an operator's to the file `token` of `directory` (mode 0600) when that holds none in force. */
export async function openTokens(options: {
  database: Database;
  directory: string;
  clock: Clock;
  /** An operator's too, accepted beside the file's. */
  given: string | undefined;
}): Promise<Tokens> {
  const { database, clock, given } = options;
  const file = join(options.directory, 'token');
  const byDigest = new Map<string, Kept>();
  const ofEnvironment = keptOf(GIVEN, COLLECTOR, clock.nowMs());
  const watching: (() => void)[] = [];
  const isOver = ({ expiresAtMs }: Kept): boolean => expiresAtMs !== null && expiresAtMs <= clock.nowMs();

  const read = async (): Promise<void> => {
    const kept = await inForce(database, clock.nowMs());
    if (given) kept.set(digestOf(given), ofEnvironment);
    byDigest.clear();
    for (const [digest, each] of kept) byDigest.set(digest, each);
  };
  const lookAll = (): void => {
    for (const look of watching) look();
  };

  const tokens: Tokens = {
    authenticate(token) {
      const kept = byDigest.get(digestOf(token));
      return kept && !isOver(kept) ? kept : null;
    },
    async create(order, actor) {
      invariant(order.name !== COLLECTOR, 'no token may speak for the collector');
      for (const [digest, kept] of byDigest) if (isOver(kept)) byDigest.delete(digest);
      if (byDigest.size >= TOKENS_MAX) throw new TooManyTokens();
      const token = `ort_${randomBytes(32).toString('base64url')}`;
      const nowMs = clock.nowMs();
      const [made] = await database.query<{ made: boolean }>('select create_token($1, $2, $3, $4) as made', [
        JSON.stringify(order),
        digestOf(token),
        actor,
        nowMs,
      ]);
      if (made?.made !== true) return null;
      const kept = keptOf(order, actor, nowMs);
      byDigest.set(digestOf(token), kept);
      return { ...lineOf(kept), token };
    },
    async revoke(name, actor) {
      for (const [digest, kept] of byDigest)
        if (kept.name === name && name !== ENVIRONMENT) byDigest.delete(digest);
      lookAll();
      const [answer] = await database.query<{ revoked: boolean }>(
        'select revoke_token($1, $2, $3) as revoked',
        [name, actor, clock.nowMs()],
        'order',
      );
      return answer?.revoked === true;
    },
    list: () => [...byDigest.values()].filter((kept) => !isOver(kept)).map(lineOf),
    isInForce: (name) => [...byDigest.values()].some((kept) => kept.name === name && !isOver(kept)),
    watch: (look) => void watching.push(look),
    mark: "select count(*) || '/' || count(revoked_at) from tokens",
    async reread() {
      await read();
      lookAll();
    },
  };

  await read();
  const written = readOr(file);
  if (written === undefined || tokens.authenticate(written)?.kind !== 'operator') {
    const order = { name: await freeName(database), kind: 'operator', claims: {}, for_ms: null } as const;
    writeSecret(file, (await tokens.create(order, COLLECTOR))!.token);
  }
  return tokens;
}

/** There are never more than TOKENS_MAX in force. */
export class TooManyTokens extends Error {
  override name = 'TooManyTokens';
}

const GIVEN: TokenOrder = { name: ENVIRONMENT, kind: 'operator', claims: {}, for_ms: null };

const keptOf = ({ name, kind, claims, for_ms }: TokenOrder, actor: string, nowMs: number): Kept => ({
  name,
  kind,
  claims,
  createdBy: actor,
  createdAtMs: nowMs,
  expiresAtMs: for_ms === null ? null : nowMs + for_ms,
});

const lineOf = ({ name, kind, claims, createdBy, createdAtMs, expiresAtMs }: Kept): TokenLine => ({
  name,
  kind,
  claims,
  created_by: createdBy,
  created_at: new Date(createdAtMs).toISOString(),
  expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
});

/** A token has 256 bits: nobody finds one by trying, so a look-up by digest gives nothing away. */
const digestOf = (token: string): string => hash('sha256', token);

async function inForce(database: Database, nowMs: number): Promise<Map<string, Kept>> {
  const rows = await database.query<{
    name: string;
    digest: string;
    kind: TokenKind;
    claims: Claims;
    by: string;
    created: string;
    expires: string | null;
  }>(
    `select name, digest, kind, claims, created_by as by, created_at::text as created, expires_at::text as expires
     from tokens where revoked_at is null and (expires_at is null or expires_at > $1) order by created_at, name limit $2`,
    [nowMs, TOKENS_MAX],
  );
  return new Map(
    rows.map(({ name, digest, kind, claims, by, created, expires }) => [
      digest,
      {
        name,
        kind,
        claims,
        createdBy: by,
        createdAtMs: Number(created),
        expiresAtMs: expires === null ? null : Number(expires),
      },
    ]),
  );
}

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
