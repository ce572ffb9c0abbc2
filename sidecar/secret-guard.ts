// Watches an answer for the secret that we put into its request: no upstream may hand it back to the agent. Bytes pass
// at once; only a tail that could be the secret's beginning waits for what follows it.

import type { Rewriter } from './dialects/dialect.ts';

export interface SecretGuard {
  /** What may pass now, or null when the secret stood there. */
  pass(chunk: Buffer): Buffer | null;
  /** What still waited at the end. */
  flush(): Buffer;
}

const NOTHING = Buffer.alloc(0);

export function secretGuard(secret: Buffer | null): SecretGuard {
  if (secret === null || secret.length === 0) return { pass: (chunk) => chunk, flush: () => NOTHING };
  let waiting: Buffer = NOTHING;
  return {
    pass(chunk) {
      const bytes = waiting.length > 0 ? Buffer.concat([waiting, chunk]) : chunk;
      if (bytes.includes(secret)) return null;
      const held = beginningAtEnd(bytes, secret);
      waiting = held > 0 ? bytes.subarray(bytes.length - held) : NOTHING;
      return held > 0 ? bytes.subarray(0, bytes.length - held) : bytes;
    },
    flush() {
      const rest = waiting;
      waiting = NOTHING;
      return rest;
    },
  };
}

/** Watches what a rewriter unpacks, as the agent would get it: base64 hides a secret. `push` and `flush` throw where it stands. */
export function guarded(rewriter: Rewriter, secret: Buffer | null): Rewriter {
  const guard = secretGuard(secret);
  const passed = (bytes: Buffer): Buffer => {
    const clean = guard.pass(bytes);
    if (clean === null) throw new Error('secret in the answer');
    return clean;
  };
  return {
    push: (chunk) => passed(rewriter.push(chunk)),
    flush: () => Buffer.concat([passed(rewriter.flush()), guard.flush()]),
  };
}

/** Length of the longest end of `bytes` that is a beginning of `secret`. */
function beginningAtEnd(bytes: Buffer, secret: Buffer): number {
  const from = Math.max(0, bytes.length - secret.length + 1);
  for (let at = bytes.indexOf(secret[0]!, from); at >= 0; at = bytes.indexOf(secret[0]!, at + 1)) {
    const length = bytes.length - at;
    if (bytes.compare(secret, 0, length, at) === 0) return length;
  }
  return 0;
}
