// On whose behalf this process runs, as far as the operating system knows: what the record says of who did it.

import { hostname, userInfo } from 'node:os';

/** `user@host`; a user without a name, as containers have them, by its number. */
export function operator(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw failure;
    return String(process.getuid?.() ?? 'unknown');
  }
}
