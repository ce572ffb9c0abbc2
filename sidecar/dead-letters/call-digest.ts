// What makes two calls the same call: where they go and what they ask, without what changes with every try (ids of
// messages, trace headers). Empty where that cannot be said.

import { hash } from 'node:crypto';
import { speaksLlm } from '../../contract/attributes.ts';
import type { Known } from '../call.ts';
import type { CallRecord } from '../record.ts';

/** Lower-case hex SHA-256. Whichever attempt it is, what counts is what was asked first. */
export function callDigestOf(call: Known): string {
  const { upstream, head, body, bodyDigest, description }: Known = call.later?.first ?? call;
  if (!upstream || !head) return '';
  const { method, path, query } = head;
  const unhashed = (body?.length ?? 0) > 0 && !bodyDigest;
  if (unhashed) return '';
  if (description && description.acts.length > 0)
    return digest(upstream.name, method, path, JSON.stringify(description.acts));
  const target = speaksLlm(upstream.speaks) ? path : path + query;
  return digest(upstream.name, method, target, bodyDigest ?? '');
}

/** The same of a model's call, of which only the record is left; empty for an attempt that asked another model. */
export const callDigestOfRecord = ({ upstream, method, path, requestDigest, attempt }: CallRecord): string =>
  requestDigest && attempt === 1 ? digest(upstream, method, path, requestDigest) : '';

const digest = (upstream: string, method: string, target: string, asked: string): string =>
  hash('sha256', `${upstream} ${method} ${target}\n${asked}`, 'hex');
