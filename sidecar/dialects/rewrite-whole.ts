// An answer that is taken whole and written anew: a list cut to what is allowed, a card that points back here.

import type { JsonObject, Rewriter } from './dialect.ts';
import { isObject } from './fields.ts';

export const REWRITTEN_BYTES_MAX = 8 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * `change` gets the answer's JSON object and returns the very same where nothing is to be changed: then its bytes pass
 * as they came, as does what is no JSON object. `push` throws beyond 8 MB: what can't be rewritten doesn't pass.
 */
export function rewriteWhole(change: (answer: JsonObject) => JsonObject): Rewriter {
  return rewriteBytes((bytes) => {
    const answer = parsed(bytes);
    if (answer === undefined) return bytes;
    const changed = change(answer);
    return changed === answer ? bytes : Buffer.from(JSON.stringify(changed));
  });
}

/** As above, where the bytes that stay must stay as they are; what `change` throws ends the answer. */
export function rewriteBytes(change: (answer: Buffer) => Buffer): Rewriter {
  const chunks: Buffer[] = [];
  let total = 0;
  return {
    push(chunk) {
      total += chunk.length;
      if (total > REWRITTEN_BYTES_MAX)
        throw new Error(`An answer to rewrite is larger than ${REWRITTEN_BYTES_MAX} bytes.`);
      chunks.push(chunk);
      return NOTHING;
    },
    flush: () => change(Buffer.concat(chunks)),
  };
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isObject(value as JsonObject) ? (value as JsonObject) : undefined;
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
