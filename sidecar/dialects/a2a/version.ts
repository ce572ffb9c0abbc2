// Which version of the protocol a request says it speaks: in a header, or where a client cannot set one in the query.
// Without either it is 0.3, or not said at all. A header that contradicts the query or the method is refused: an agent
// that serves both versions reads the message by one and may route it by the other.
// Source: specification 1.0.0 § 3.6.

import { Refusal } from '../../../contract/refusals.ts';
import type { RequestHead } from '../dialect.ts';
import type { Version } from './methods.ts';

const HEADER = 'a2a-version';
const WRITTEN = /^(0\.3|1\.0)(?:\.\d{1,4})?$/;

/** Null when the request does not say. Throws Refusal `bad_request`. */
export function versionOf({ headers, query }: RequestHead): Version | null {
  const inHeader = String(headers[HEADER] ?? '');
  const inQuery = queried(query);
  if (inHeader !== '' && inQuery !== '' && inHeader !== inQuery) {
    throw bad('version_mismatch', 'The A2A-Version of the header is not that of the query.');
  }
  const said = inHeader || inQuery;
  if (said === '') return null;
  const version = WRITTEN.exec(said)?.[1];
  if (version === undefined) throw bad('unknown_version', 'The A2A-Version must be 1.0 or 0.3.');
  return version as Version;
}

/** Throws Refusal `bad_request` when a method of one version comes as the other. */
export function checkVersion(head: RequestHead, method: string, version: Version): void {
  const said = versionOf(head);
  if (said === null || said === version) return;
  throw bad('version_mismatch', `${method} is a method of A2A ${version}, and A2A-Version says ${said}.`);
}

function queried(query: string): string {
  if (query === '') return '';
  for (const [name, value] of new URLSearchParams(query)) if (name.toLowerCase() === HEADER) return value;
  return '';
}

const bad = (reason: string, sentence: string): Refusal => new Refusal('bad_request', sentence, { reason });
