// People's way in: a one-time link opens a session, and the browser then shows its cookie instead of a join token. The
// database holds digests alone; those in force stand in memory, because every request asks. A session ends with the token
// that made its link: whoever was let in by it is let in no longer.

import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Database } from './database.ts';
import type { SharedList } from './neighbours.ts';
import { COLLECTOR } from './tokens.ts';

/** What a session is called: in events, in lists, when it is revoked. The secret is in the browser's cookie only. */
export interface SessionLine {
  readonly id: string;
  /** The join token that made its link. */
  readonly opened_by: string;
  readonly opened_at: string;
  readonly expires_at: string;
}

export interface Sessions extends SharedList {
  /** A code for `/login?code=…` that opens one session within LINK_MS. `maker` is the join token that was shown. */
  makeLink(maker: string): Promise<{ code: string; expiresAtMs: number }>;
  /** The secret of a fresh session, or null when the code was used, is too old, or never was, or its maker's token is over. */
  open(code: string): Promise<string | null>;
  /** The id of the session in force that has this secret, or null. */
  authenticate(secret: string): string | null;
  list(): readonly SessionLine[];
  /** False when there is no such session, or it is over. */
  revoke(id: string, actor: string): Promise<boolean>;
}

export const LINK_MS = 10 * 60_000;
/** A session is not prolonged: after a week a fresh link is one command away. */
export const SESSION_MS = 7 * 24 * 3_600_000;
/** The oldest makes room. */
const SESSIONS_MAX = 200;

interface Session {
  readonly id: string;
  readonly digest: string;
  readonly openedBy: string;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
}

export interface SessionsOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Whether a token of that name is. */
  isInForce(name: string): boolean;
}

export async function openSessions({ database, clock, isInForce }: SessionsOptions): Promise<Sessions> {
  const byDigest = new Map<string, Session>();
  let reading: Promise<void> = Promise.resolve();

  async function readNow(): Promise<void> {
    const sessions = await inForce(database, clock.nowMs());
    byDigest.clear();
    for (const session of sessions) byDigest.set(session.digest, session);
  }
  /** One after the other: what was read before a change must not come in after it. */
  function read(): Promise<void> {
    reading = reading.then(readNow, readNow);
    return reading;
  }
  const mayEnter = (maker: string): boolean => maker === COLLECTOR || isInForce(maker);
  const isOpen = ({ openedBy, expiresAtMs }: Session): boolean =>
    expiresAtMs > clock.nowMs() && mayEnter(openedBy);
  await read();

  return {
    async makeLink(maker) {
      const code = secretText('orl');
      const nowMs = clock.nowMs();
      const expiresAtMs = nowMs + LINK_MS;
      await database.query('select make_login_link($1, $2, $3, $4)', [
        digestOf(code),
        maker,
        nowMs,
        expiresAtMs,
      ]);
      return { code, expiresAtMs };
    },
    async open(code) {
      const secret = secretText('ors');
      const nowMs = clock.nowMs();
      const [opened] = await database.query<{ maker: string | null }>(
        'select open_session($1, $2, $3, $4, $5, $6) as maker',
        [
          digestOf(code),
          randomBytes(6).toString('hex'),
          digestOf(secret),
          nowMs,
          nowMs + SESSION_MS,
          SESSIONS_MAX,
        ],
      );
      if (!opened?.maker) return null;
      await read();
      return mayEnter(opened.maker) ? secret : null;
    },
    authenticate(secret) {
      const session = byDigest.get(digestOf(secret));
      return session && isOpen(session) ? session.id : null;
    },
    list: () => [...byDigest.values()].filter(isOpen).map(lineOf),
    async revoke(id, actor) {
      const [answer] = await database.query<{ revoked: boolean }>(
        'select revoke_session($1, $2, $3) as revoked',
        [id, actor, clock.nowMs()],
      );
      await read();
      return answer?.revoked === true;
    },
    mark: "select count(*) || '/' || count(revoked_at) || '/' || coalesce(max(opened_at), 0) from sessions",
    reread: read,
  };
}

/** 256 bits: nobody finds one by trying, so a look-up by digest gives nothing away. */
const secretText = (prefix: string) => `${prefix}_${randomBytes(32).toString('base64url')}`;

const digestOf = (secret: string) => hash('sha256', secret);

async function inForce(database: Database, nowMs: number): Promise<Session[]> {
  const rows = await database.query<{
    id: string;
    digest: string;
    by: string;
    opened: string;
    expires: string;
  }>(
    `select session_id as id, digest, opened_by as by, opened_at::text as opened, expires_at::text as expires
     from sessions where revoked_at is null and expires_at > $1 order by opened_at desc limit $2`,
    [nowMs, SESSIONS_MAX],
  );
  return rows.map(({ id, digest, by, opened, expires }) => ({
    id,
    digest,
    openedBy: by,
    openedAtMs: Number(opened),
    expiresAtMs: Number(expires),
  }));
}

const lineOf = ({ id, openedBy, openedAtMs, expiresAtMs }: Session): SessionLine => ({
  id,
  opened_by: openedBy,
  opened_at: new Date(openedAtMs).toISOString(),
  expires_at: new Date(expiresAtMs).toISOString(),
});
