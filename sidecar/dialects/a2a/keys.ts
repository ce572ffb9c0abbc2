// A2A is defined in protocol buffers, whose JSON readers take a field under two names (`pushNotificationConfig`,
// `push_notification_config`), and some readers fold letter case besides. What is judged must be what is read, so where
// a member is judged, every other spelling of its name is refused.

import { Refusal } from '../../../contract/refusals.ts';
import type { JsonObject } from '../dialect.ts';

/** Throws Refusal `bad_request` for a key that is one of `judged` in another spelling. */
export function refuseOtherSpellings(object: JsonObject, judged: readonly string[]): void {
  for (const key of Object.keys(object)) {
    if (judged.includes(key)) continue;
    const meant = judged.find((name) => folded(name) === folded(key));
    if (meant === undefined) continue;
    throw new Refusal('bad_request', `A key is another spelling of \`${meant}\`; write it so.`, {
      reason: 'case_variant_key',
      facts: { field: meant },
    });
  }
}

/** Upper case first: `ſ` and the Kelvin sign fold to plain letters. */
export const folded = (key: string): string => key.toUpperCase().toLowerCase().replaceAll(/[_-]/g, '');
