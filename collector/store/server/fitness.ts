// Whether a server can do what our statements ask of it, before any of them is sent.

import type { Connection } from '../connection.ts';

/** The first with every setting that a load names, and the long-term release after it. */
const VERSION_MIN = [26, 3] as const;
/** Partitions are days of the server's own timezone, whatever a session says: they must be days of UTC. */
const UTC_NAMES = new Set([
  'UTC',
  'Etc/UTC',
  'UCT',
  'Etc/UCT',
  'Zulu',
  'Etc/Zulu',
  'Universal',
  'GMT',
  'Etc/GMT',
]);

/** Throws what `query` throws, or an Error with one sentence that says what to change. */
export async function refuseUnfit(connection: Pick<Connection, 'query'>): Promise<void> {
  const [server] = await connection.query<{ version: string; timezone: string }>(
    'SELECT version() AS version, serverTimezone() AS timezone',
  );
  const { version = '', timezone = '' } = server ?? {};
  if (!isRecent(version))
    throw new Error(`it is ClickHouse ${version}, and ${VERSION_MIN.join('.')} is the oldest that will do`);
  if (!UTC_NAMES.has(timezone))
    throw new Error(`its timezone is ${timezone}: set <timezone>UTC</timezone> in its configuration`);
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = VERSION_MIN;
  return major > majorMin || (major === majorMin && minor >= minorMin);
}
