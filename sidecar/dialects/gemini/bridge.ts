// How a call is carried between the Gemini API and Vertex AI: the same body and answer under another path. What one of them
// keeps or has sealed (caches, files, signatures of thoughts), runs itself or bills by a tier is unknown to the other.

import { basePathOf } from '../../../contract/config/addresses.ts';
import type { Upstream } from '../../../contract/config/config.ts';
import type { AskedCall, Bridge, CarriedCall } from '../bridge.ts';
import type { Dialect, Json } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { changeMembers } from '../members.ts';
import { isVertex, publishedAt } from './place.ts';

const VERSIONED = /\/v\d{1,2}(?:(?:alpha|beta)\d{0,2})?$/;
/** Of Google's own: at Vertex other makers' models stand elsewhere. */
const OF_GOOGLE = /^(?:gemini|gemma)-[A-Za-z0-9._~@-]+$/;
const IN_THE_PATH = new Set(['model']);

export function bridge(to: Dialect, upstream: Upstream): Bridge | null {
  const models = to.name === 'gemini' ? modelsAt(upstream) : null;
  if (models === null) return null;
  return {
    dialect: to,
    request: (asked, model) => carried(asked, models, model),
    answer: () => ({ rewriter: null, headers: {} }),
  };
}

/** Null for a Vertex whose url does not say whose. */
function modelsAt(upstream: Upstream): string | null {
  const published = publishedAt(upstream, 'google');
  if (published !== null || isVertex(upstream)) return published;
  const base = basePathOf(upstream.url);
  return `${base}${VERSIONED.test(base) ? '' : '/v1beta'}/models`;
}

function carried(asked: AskedCall, models: string, model: string): CarriedCall | null {
  const { head, json, body } = asked;
  if (!isSayableElsewhere(asked) || !OF_GOOGLE.test(model)) return null;
  const method = head.path.slice(head.path.lastIndexOf(':') + 1);
  const named = Object.hasOwn(json, 'model');
  return {
    path: `${models}/${model}:${method}`,
    query: head.query,
    body: named ? changeMembers(body, IN_THE_PATH, {}) : body,
    headers: {},
  };
}

function isSayableElsewhere({ description, json }: AskedCall): boolean {
  const { endpoint, hostedTools, serviceTier } = description;
  const generates = endpoint.operation === 'generate_content';
  return generates && hostedTools.length === 0 && serviceTier === null && !refersElsewhere(json);
}

const KEPT = /^(?:cached_?content|continuation_?token|file_?data|thought_?signature)$/i;

function refersElsewhere(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(refersElsewhere);
  if (!isObject(value)) return false;
  return Object.entries(value).some(
    ([name, member]) => (KEPT.test(name) && member !== null) || refersElsewhere(member),
  );
}
