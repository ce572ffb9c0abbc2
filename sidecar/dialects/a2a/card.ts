// An agent's card, rewritten so that whoever reads it comes back through here: every url of both versions points at this
// sidecar, interfaces that lead to another place or speak gRPC are left out, and so are skills that no rule could allow.
// A signature is over the card as its agent wrote it, so none is handed on. Source: specification 0.3.0 § 5.5, 1.0.0 § 4.4.
//
//   upstream http://writer:9000      http://writer:9000/rpc  →  http://127.0.0.1:4320/writer/rpc
//                                    http://other:9000/rpc   →  (left out)

import type { AnswerView, Json, JsonObject, Rewriter } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { rewriteWhole } from '../rewrite-whole.ts';

const GRPC = 'GRPC';

/** Null where the answer is no card: an error passes as it is. */
export function rewrittenCard(view: AnswerView): Rewriter | null {
  if (view.status !== 200) return null;
  return rewriteWhole((answer) => {
    if (answer.jsonrpc === undefined) return cardFor(answer, view);
    return isObject(answer.result) ? { ...answer, result: cardFor(answer.result, view) } : answer;
  });
}

export function cardFor(card: JsonObject, view: AnswerView): JsonObject {
  const { signatures: _, ...rest } = card;
  const rewritten: JsonObject = { ...rest };
  if (Array.isArray(card.supportedInterfaces)) {
    rewritten.supportedInterfaces = interfacesFor(card.supportedInterfaces, 'protocolBinding', view);
  }
  if (Array.isArray(card.additionalInterfaces)) {
    rewritten.additionalInterfaces = interfacesFor(card.additionalInterfaces, 'transport', view);
  }
  if (card.url !== undefined) placeMain(rewritten, card, view);
  if (Array.isArray(card.skills)) {
    rewritten.skills = card.skills.filter((skill) =>
      view.allows({ kind: 'a2a', upstream: view.upstream, skill: idOf(skill) }),
    );
  }
  return rewritten;
}

/** The main url of a 0.3 card; where it leads elsewhere, the first of the others that does not takes its place. */
function placeMain(rewritten: JsonObject, card: JsonObject, view: AnswerView): void {
  const main = isGrpc(card.preferredTransport) ? undefined : urlFor(card.url, view);
  if (main !== undefined) {
    rewritten.url = main;
    return;
  }
  delete rewritten.url;
  delete rewritten.preferredTransport;
  const others = Array.isArray(rewritten.additionalInterfaces) ? rewritten.additionalInterfaces : [];
  const [first] = others;
  if (!isObject(first)) return;
  rewritten.url = first.url!;
  rewritten.preferredTransport = first.transport ?? 'JSONRPC';
}

function interfacesFor(interfaces: readonly Json[], binding: string, view: AnswerView): JsonObject[] {
  const kept: JsonObject[] = [];
  for (const one of interfaces) {
    if (!isObject(one) || isGrpc(one[binding])) continue;
    const url = urlFor(one.url, view);
    if (url !== undefined) kept.push({ ...one, url });
  }
  return kept;
}

const isGrpc = (binding: Json | undefined): boolean =>
  typeof binding === 'string' && binding.toUpperCase() === GRPC;

/** The url as the agent reaches it, or undefined when it is not within the upstream's. */
function urlFor(value: Json | undefined, { upstreamUrl, reachedAs }: AnswerView): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { origin, pathname, search } = new URL(value);
  const path = pathname === '/' && !value.endsWith('/') ? '' : pathname;
  const url = origin + path;
  if (url !== upstreamUrl && !url.startsWith(`${upstreamUrl}/`)) return undefined;
  return reachedAs + url.slice(upstreamUrl.length) + search;
}

const idOf = (skill: Json): string => (isObject(skill) ? String(skill.id) : '');
