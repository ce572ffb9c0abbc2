// Node's cache of compiled modules, for the threads and processes that one of ours starts: Node hands it down to neither,
// and each would strip and compile the same files at every start. Node writes it at a polite exit; who may be killed
// writes it before.

import module from 'node:module';
import { dirname } from 'node:path';

/** What the environment of a thread or process must hold to share our cache; nothing where we have none. */
export function sharedCompileCache(): { NODE_COMPILE_CACHE?: string } {
  // In it each version of Node has a folder of its own.
  const own = module.getCompileCacheDir?.();
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) };
}

/** Writes what was compiled so far, for the next start. */
export const keepCompiled = (): void => module.flushCompileCache?.();
