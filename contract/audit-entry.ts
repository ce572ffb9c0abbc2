// One link of a sidecar's hash chain: canonical JSON of what happened, its number, and the hash of the link before.
// A reader with the entries alone can prove that none was altered, dropped, inserted or reordered.

import { hash } from 'node:crypto';

export interface Sealed {
  readonly stream: string;
  readonly seq: number;
  readonly previous: string;
  /** Lower-case hex of SHA-256 over `entry`. */
  readonly hash: string;
  /** The canonical JSON itself; it holds stream, seq and previous. */
  readonly entry: string;
}

/**
 * What entries say of themselves as `version`. 2 holds each fact a row shows, to the nanosecond; entries before it say no
 * version, round `durationMs`, and lack method, path, provider, server and finish reasons.
 */
export const ENTRY_VERSION = 2;

export const CHAIN_START = '0'.repeat(64);

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * JSON with sorted keys and no white space (RFC 8785 for the values we use: integers, strings, booleans, null).
 * Keys whose value is undefined are left out.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as { readonly [key: string]: Json | undefined };
  let text = '';
  for (const key of Object.keys(object).sort()) {
    const member = object[key];
    if (member !== undefined) text += `${text ? ',' : ''}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** The first sequence number at which a chain of entries breaks, or null. Entries in order, `from` the hash before. */
export function verifyChain(
  entries: Iterable<{ entry: string; hash: string }>,
  from = CHAIN_START,
): number | null {
  let previous = from;
  let expected: number | null = null;
  for (const { entry, hash: claimed } of entries) {
    const { seq, previous: named } = JSON.parse(entry) as { seq: number; previous: string };
    expected ??= seq;
    if (hash('sha256', entry, 'hex') !== claimed || named !== previous || seq !== expected) return expected;
    previous = claimed;
    expected = seq + 1;
  }
  return null;
}
