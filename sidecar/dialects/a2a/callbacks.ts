// Where an agent is asked to call back to. Whoever names the url makes the other agent's machine send a request there,
// from inside its network: it is weighed like a call of this agent's own (`http POST <url>`) and must be public.
// The fields differ by version and binding, so every `url` within the part that holds them counts.

import { Refusal } from '../../../contract/refusals.ts';
import type { Json } from '../dialect.ts';
import { requirePublicUrl } from '../fetched-url.ts';
import { badField } from '../fields.ts';
import { folded } from './keys.ts';

const URL_CHARACTERS_MAX = 2048;
/** Encoded slashes and backslashes, dots and percent signs, and empty segments: two readers could see two paths. */
const TWO_FACED = /%(?:2f|5c|2e|25)|[^:]\/\//i;

/**
 * Every callback url within `value`, without its query. Throws Refusal `destination_forbidden` for one that is not public,
 * `bad_request` for one that is not canonical.
 */
export function callbackUrls(value: Json | undefined): string[] {
  const urls: string[] = [];
  const open: Json[] = value === undefined ? [] : [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, member] of Object.entries(next)) {
      if (folded(key) === 'url' && !Array.isArray(next)) urls.push(callbackUrl(member));
      else open.push(member);
    }
  }
  return urls;
}

function callbackUrl(value: Json): string {
  if (typeof value !== 'string' || value.length > URL_CHARACTERS_MAX || !URL.canParse(value)) {
    throw badField('url', `an http or https url of at most ${URL_CHARACTERS_MAX} characters`);
  }
  const url = new URL(value);
  const canonical = url.href === value || url.href === `${value}/`;
  const plain = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (!plain || !canonical || url.hash !== '' || TWO_FACED.test(url.origin + url.pathname)) {
    throw new Refusal('bad_request', 'The url to call back to is not written the canonical way.', {
      reason: 'callback_not_canonical',
    });
  }
  requirePublicUrl(value, 'url');
  return url.origin + url.pathname;
}
