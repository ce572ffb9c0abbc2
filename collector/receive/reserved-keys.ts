// Keys of attributes that not everybody may give, told from the bytes of a request, nothing decoded.

import { ATTRIBUTES } from '../../contract/attributes.ts';

/** Of attributes that only who authenticated may give. */
const RESERVED_PREFIX = Buffer.from('outrider.');
const RESERVED_FIRST_BYTE = RESERVED_PREFIX[0];
/** Of spans' attributes those that say whose record it is. */
const OWNER_KEYS = [ATTRIBUTES.agent, ATTRIBUTES.auditStream].map((key) => Buffer.from(key));

export function isReservedKey(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== RESERVED_FIRST_BYTE || end - start < RESERVED_PREFIX.length) return false;
  for (let at = 1; at < RESERVED_PREFIX.length; at += 1)
    if (bytes[start + at] !== RESERVED_PREFIX[at]) return false;
  return true;
}

export function isOwnerKey(bytes: Uint8Array, start: number, end: number): boolean {
  for (const key of OWNER_KEYS)
    if (key.length === end - start && key.compare(bytes, start, end) === 0) return true;
  return false;
}
