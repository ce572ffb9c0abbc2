// OUTRIDER_TOKEN_FILE: the join token as containers and systemd hand over secrets, a file. Read once, at the start of a
// command; OUTRIDER_TOKEN itself wins.

import { readFileSync } from 'node:fs';

/** The environment with the token in it. Throws an Error with a sentence when the file that is named cannot be read. */
export function withTokenFile(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { OUTRIDER_TOKEN: token, OUTRIDER_TOKEN_FILE: file } = env;
  if (token || !file) return env;
  try {
    return { ...env, OUTRIDER_TOKEN: readFileSync(file, 'utf8').trim() };
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? String(failure.code) : '';
    throw new Error(`OUTRIDER_TOKEN_FILE names ${file}, which cannot be read (${code}).`);
  }
}
