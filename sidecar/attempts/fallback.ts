// The same call for another model, as its role names it. Nothing of the prompt changes: the model's name does, and where
// the other upstream speaks another wire form, the form. What comes of it is recognised, described and judged anew, so
// what is sent is what was judged. Null wherever it cannot serve; then the next of the chain is looked at.

import type { DialectName } from '../../contract/attributes.ts';
import { basePathOf } from '../../contract/config/addresses.ts';
import type { Upstream } from '../../contract/config/config.ts';
import { readTarget } from '../../contract/config/fallbacks.ts';
import { FORWARDED_CREDENTIAL } from '../../contract/config/references.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Judgement } from '../../contract/rules.ts';
import { parseStrict } from '../../kit/strict-json.ts';
import { isSignedByAgent } from '../agent-signature.ts';
import type { Authorized, Classified } from '../call.ts';
import type { AskedCall, Bridge, CarriedCall } from '../dialects/bridge.ts';
import type { Description, Dialect, JsonBody, JsonObject, RequestHead } from '../dialects/dialect.ts';
import type { Altered } from './attempt.ts';
import { isModelCall } from './repeatable.ts';

export interface Fallbacks {
  readonly dialects: Readonly<Partial<Record<DialectName, Dialect>>>;
  judge(call: Classified): Judgement;
}

export interface Fallback {
  readonly altered: Altered & { readonly upstream: Upstream };
  readonly bridge: Bridge | null;
  readonly headers: CarriedCall['headers'];
}

/** What the agent's roles name, in order, without what was asked; from behind that where it stands in a chain itself. */
export function chainOf(call: Authorized): readonly string[] {
  if (!isModelCall(call)) return [];
  const { agent, policy } = call;
  const asked = targetAsked(call);
  const chains = agent.entry.roles.map((role) => policy.config.roles.get(role)?.fallback ?? []);
  return [...new Set(chains.flatMap((chain) => chain.slice(chain.indexOf(asked) + 1)))].filter(
    (target) => target !== asked,
  );
}

export const targetAsked = ({ upstream, description }: Authorized): string =>
  `${upstream.name}/${description?.model ?? ''}`;

export function fallbackTo(target: string, first: Authorized, use: Fallbacks): Fallback | null {
  const { upstream: name, model } = readTarget(target);
  const upstream = first.policy.config.upstreams.get(name);
  const native = upstream && use.dialects[upstream.speaks];
  if (!upstream || !native || !mayCarryKeys(first, upstream)) return null;
  const asked = askedCall(first);
  const stays = upstream === first.upstream;
  const bridge = stays ? null : (first.dialect.bridge?.(native, upstream) ?? null);
  const carried = bridge
    ? bridge.request(asked, model, upstream)
    : native === first.dialect
      ? (native.forModel?.(asked, model, stays ? null : basePathOf(upstream.url)) ?? null)
      : null;
  if (!carried) return null;
  const altered = judged(first, upstream, bridge?.dialect ?? native, carried, use);
  return altered && { altered, bridge, headers: carried.headers };
}

/** What the agent sent as its own key goes only where the agent sent it, and a request it signed goes as it was signed. */
function mayCarryKeys({ agent, upstream: asked, request }: Authorized, upstream: Upstream): boolean {
  const name = agent.entry.credentials.get(upstream.name) ?? upstream.credential;
  if (name !== FORWARDED_CREDENTIAL) return true;
  return upstream === asked && !isSignedByAgent({ request });
}

function askedCall({ head, upstream, body, description }: Authorized): AskedCall {
  const json = parseStrict(body) as JsonObject;
  return { head, base: basePathOf(upstream.url), json, body, description: description as Description };
}

/** Null where the other upstream knows no such endpoint or cannot read it, or where the rules do not simply allow it. */
function judged(
  first: Authorized,
  upstream: Upstream,
  dialect: Dialect,
  { path, query, body, headers }: CarriedCall,
  use: Fallbacks,
): Fallback['altered'] | null {
  const head: RequestHead = {
    method: first.method,
    path,
    query,
    headers: overlaid(first.head.headers, headers),
  };
  const endpoint = dialect.recognise(head, basePathOf(upstream.url));
  if (!endpoint) return null;
  const json = parseStrict(body) as JsonBody;
  const description = described(() => dialect.describe(endpoint, head, json, body));
  if (!description) return null;
  const altered = { upstream, dialect, head, endpoint: description.endpoint, description, body, json };
  const judgement = use.judge({ ...first, ...altered });
  const passes = judgement.verdict === 'allow' || judgement.verdict === 'notify';
  return passes ? { ...altered, judgement } : null;
}

function described(describe: () => Description): Description | null {
  try {
    return describe();
  } catch (failure) {
    if (failure instanceof Refusal) return null;
    throw failure;
  }
}

function overlaid(headers: RequestHead['headers'], over: CarriedCall['headers']): RequestHead['headers'] {
  const changed = Object.entries(over).map(([name, value]) => [name, value ?? undefined] as const);
  return changed.length === 0 ? headers : { ...headers, ...Object.fromEntries(changed) };
}
