// Headers that repeat the body, for whoever routes without reading it: compared with the body before anything else, for
// a server or a gateway behind us that trusts them must not be told another thing than was judged. Required from
// 2026-07-28 on; compared wherever they come. Source: SEP-2243; basic/transports/streamable-http, "Standard headers".

import type { Refusal } from '../../../contract/refusals.ts';
import type { Json, JsonObject, RequestHead } from '../dialect.ts';
import { bad, type Message } from './messages.ts';
import { claimedVersion, STATELESS_VERSION, versionOf } from './versions.ts';

const METHOD_HEADER = 'mcp-method';
const NAME_HEADER = 'mcp-name';
const PARAMETER_PREFIX = 'mcp-param-';
/** Which parameter `Mcp-Name` repeats. */
export const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);
const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;
const LOOKS_ENCODED = /^=\?base64\?/i;

/** Throws Refusal `bad_request`: `header_mismatch` or `header_missing`. */
export function compareHeaders(head: RequestHead, messages: readonly Message[]): void {
  const [message, ...others] = messages;
  if (others.length > 0) return refuseRepeated(head);
  if (!message || message.kind === 'response') return;
  const version = versionOf(head);
  const claimed = claimedVersion(message.params);
  if (version !== null && claimed !== null && version !== claimed)
    throw mismatch('MCP-Protocol-Version', 'the version in `_meta`');
  const required = message.kind === 'request' && (version ?? claimed) === STATELESS_VERSION;
  if (required && version === null) throw missing('MCP-Protocol-Version');
  if (required && claimed === null && message.method !== 'initialize') throw unclaimed();
  compare(head, METHOD_HEADER, 'Mcp-Method', message.method, required);
  const named = NAMED_BY.get(message.method);
  const name = named === undefined ? undefined : message.params[named];
  if (typeof name === 'string') compare(head, NAME_HEADER, 'Mcp-Name', name, required);
  else if (head.headers[NAME_HEADER] !== undefined)
    throw mismatch('Mcp-Name', 'the body, which names nothing');
  compareParameters(head, message.params.arguments);
}

function refuseRepeated({ headers }: RequestHead): void {
  if (headers[METHOD_HEADER] ?? headers[NAME_HEADER])
    throw bad('header_mismatch', 'Mcp-Method and Mcp-Name cannot say what a batch holds.');
}

function compare(
  { headers }: RequestHead,
  header: string,
  shown: string,
  said: string,
  required: boolean,
): void {
  const value = headers[header];
  if (value === undefined && required) throw missing(shown);
  if (value !== undefined && decoded(String(value)) !== said) throw mismatch(shown, 'the body');
}

/**
 * Which argument `Mcp-Param-X` repeats stands in the tool's definition, which a proxy need not have seen. So each such
 * value must be that of some argument: what the body does not hold cannot be said.
 */
function compareParameters({ headers }: RequestHead, args: Json | undefined): void {
  let held: ReadonlySet<string> | undefined;
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(PARAMETER_PREFIX)) continue;
    held ??= scalarsOf(args ?? null);
    const value = decoded(String(headers[name]));
    if (value === undefined || (!held.has(value) && !held.has(String(Number(value)))))
      throw mismatch(`Mcp-Param-${name.slice(PARAMETER_PREFIX.length)}`, 'any argument in the body');
  }
}

/** Every text, number and truth value within, as a header writes it. */
function scalarsOf(value: Json): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting: Json[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next !== null && typeof next === 'object') waiting.push(...Object.values(next as JsonObject));
    else if (next !== null) found.add(String(next));
  }
  return found;
}

/** Undefined for what begins like an encoded value and is none. Header values come as Latin-1 text. */
function decoded(value: string): string | undefined {
  const encoded = ENCODED.exec(value)?.[1];
  if (encoded === undefined) return LOOKS_ENCODED.test(value) ? undefined : value;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return undefined;
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

function missing(header: string): Refusal {
  return bad('header_missing', `A request of ${STATELESS_VERSION} must have the header ${header}.`);
}

function mismatch(header: string, what: string): Refusal {
  return bad('header_mismatch', `The header ${header} does not agree with ${what}.`);
}

function unclaimed(): Refusal {
  return bad(
    'version_missing',
    `A request of ${STATELESS_VERSION} must name its version in \`params._meta\` too.`,
  );
}
