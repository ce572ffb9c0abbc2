// Which skill a message asks for. A2A has no field for it: a message goes to the agent, which decides. So a caller says
// it in the metadata that both versions have (`skillId`, or `skill`), of the message or of the request, and a message
// that says none asks for `default`, which only a rule for `default` or for `*` opens (docs/a2a.md).

import { Refusal } from '../../../contract/refusals.ts';
import type { Json, JsonObject } from '../dialect.ts';
import { badField, identifier, isObject } from '../fields.ts';
import { refuseOtherSpellings } from './keys.ts';

/** What a message is judged as that names no skill. */
export const SKILL_UNNAMED = 'default';

const NAMES = ['skillId', 'skill'];

/** `params` and its `message` as sent. Throws Refusal `bad_request` when two places name different skills. */
export function skillOf(params: JsonObject, message: JsonObject): string {
  const named = new Set([...namedIn(params.metadata), ...namedIn(message.metadata)]);
  if (named.size > 1) {
    throw new Refusal('bad_request', `The request names ${named.size} different skills in its metadata.`, {
      reason: 'skill_mismatch',
    });
  }
  const [skill] = named;
  return skill ?? SKILL_UNNAMED;
}

function namedIn(metadata: Json | undefined): string[] {
  if (metadata === undefined || metadata === null) return [];
  if (!isObject(metadata)) throw badField('metadata', 'an object');
  refuseOtherSpellings(metadata, NAMES);
  return NAMES.filter((name) => metadata[name] !== undefined).map((name) =>
    identifier(metadata[name], `metadata.${name}`),
  );
}
