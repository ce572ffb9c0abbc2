// A control event as a link of the collector's own chain: the same form of link as a sidecar's records have, so one
// reader proves both. A policy's text is kept apart from the event that tells it; its digest is sealed in its place.

import { hash } from 'node:crypto';
import { canonicalJson, type Json, type Sealed } from './audit-entry.ts';

export interface SealableEvent {
  readonly id: string;
  readonly atMs: number;
  readonly event: string;
  readonly actor: string;
  readonly agent: string;
  readonly reason: string;
  /** JSON of an object. */
  readonly details: string;
}

export interface ControlLink {
  readonly stream: string;
  readonly seq: number;
  readonly previous: string;
}

/** Which stream this one follows, in its first link: the control database was put back to an earlier state. */
export interface Followed {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
}

export const CONTROL_ENTRY_VERSION = 1;

/** Seals an event. The same event at the same place has the same hash. Throws SyntaxError for details that are no JSON. */
export function sealEvent(event: SealableEvent, link: ControlLink, follows: Followed | null = null): Sealed {
  const { sources, ...details } = JSON.parse(event.details) as { readonly [key: string]: Json };
  const entry = canonicalJson({
    actor: event.actor,
    agent: event.agent,
    atMs: event.atMs,
    details,
    event: event.event,
    id: event.id,
    ...(follows ? { follows: { ...follows } } : {}),
    previous: link.previous,
    reason: event.reason,
    seq: link.seq,
    ...(sources === undefined ? {} : { sourcesSha256: hash('sha256', canonicalJson(sources), 'hex') }),
    stream: link.stream,
    version: CONTROL_ENTRY_VERSION,
  });
  return { ...link, hash: hash('sha256', entry, 'hex'), entry };
}
