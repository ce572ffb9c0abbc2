// The revisions of the protocol, named by their date, and which one a request says it is written in.

import type { Refusal } from '../../../contract/refusals.ts';
import type { JsonObject, RequestHead } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { bad } from './messages.ts';

/** Without a session: each request says in `_meta` and in headers what it is. Source: basic/transports/streamable-http. */
export const STATELESS_VERSION = '2026-07-28';
export const VERSIONS: readonly string[] = [
  '2024-10-07',
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
  STATELESS_VERSION,
];
const LAST_WITH_BATCHES = '2025-03-26';
export const VERSION_HEADER = 'mcp-protocol-version';
export const VERSION_MEMBER = 'io.modelcontextprotocol/protocolVersion';

/** As its header says; null without one: clients before 2025-06-18 send none. Throws Refusal `unsupported_version`. */
export function versionOf({ headers }: RequestHead): string | null {
  const version = headers[VERSION_HEADER];
  if (version === undefined) return null;
  if (typeof version === 'string' && VERSIONS.includes(version)) return version;
  throw unsupported(String(version));
}

/** As `params._meta` says; null where it says nothing. */
export function claimedVersion(params: JsonObject): string | null {
  const meta = params._meta;
  if (meta === undefined || meta === null) return null;
  if (!isObject(meta)) throw bad('bad_field', 'The field `_meta` must be an object.');
  const claimed = meta[VERSION_MEMBER];
  if (claimed === undefined) return null;
  if (typeof claimed === 'string' && VERSIONS.includes(claimed)) return claimed;
  throw unsupported(String(claimed));
}

export const hasBatches = (version: string | null): boolean =>
  version === null || version <= LAST_WITH_BATCHES;

function unsupported(version: string): Refusal {
  const sentence = `The protocol version ${version.slice(0, 40)} is none of ${VERSIONS.join(', ')}.`;
  return bad('unsupported_version', sentence);
}
