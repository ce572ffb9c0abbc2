// What a server offers, cut to what the agent may use: tools, resources, templates and prompts that some rule could
// allow. Entries are cut out of the bytes, so what stays is the server's own text. A tool must also be the one that was
// pinned, and ask for its headers rightly.

import { hash } from 'node:crypto';
import { canonicalJson } from '../../../contract/audit-entry.ts';
import { Refusal } from '../../../contract/refusals.ts';
import { parseStrict, StrictJsonError } from '../../../kit/strict-json.ts';
import type { AnswerView, Json, JsonObject, Rewriter, Splice } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { applySplices, elements, memberValue, type Span } from '../members.ts';
import { rewriteEvents } from '../rewrite-events.ts';
import { rewriteBytes } from '../rewrite-whole.ts';
import { isEventStream } from '../sse.ts';
import { promptName, resourceName, toolName } from './acts.ts';
import { declaresHeadersWell } from './header-parameters.ts';

type Shows = (entry: JsonObject) => boolean;

export function filteredLists(view: AnswerView): Rewriter | null {
  if (view.status !== 200) return null;
  const lists = listsOf(view);
  const change = (text: Buffer): Buffer => filtered(text, lists);
  return isEventStream(view.contentType) ? rewriteEvents(change) : rewriteBytes(change);
}

/** By the result's member that holds the list. */
function listsOf(view: AnswerView): ReadonlyMap<string, Shows> {
  const allowed = (name: string | null): boolean =>
    name !== null && view.allows({ kind: 'mcp', upstream: view.upstream, tool: name });
  return new Map<string, Shows>([
    ['tools', (tool) => showsTool(tool, view, allowed)],
    ['resources', ({ uri }) => allowed(named(resourceName, uri))],
    ['resourceTemplates', ({ uriTemplate }) => allowed(named(resourceName, uriTemplate))],
    ['prompts', ({ name }) => allowed(named(promptName, name))],
  ]);
}

/** Every definition is compared with its pin, shown or not: what was seen first is what stays. */
function showsTool(tool: JsonObject, view: AnswerView, allowed: (name: string | null) => boolean): boolean {
  const name = named(toolName, tool.name);
  if (name === null) return false;
  const pinned = view.pinned(name, digestOf(tool));
  return pinned && declaresHeadersWell(tool.inputSchema) && allowed(name);
}

/** Everything a model or a client goes by; `_meta` is the transport's. */
function digestOf({ _meta, ...definition }: JsonObject): string {
  return hash('sha256', canonicalJson(definition), 'hex');
}

/** Null for a name no call could be made by. */
function named(read: (value: Json | undefined) => string, value: Json | undefined): string | null {
  try {
    return read(value);
  } catch (failure) {
    if (failure instanceof Refusal) return null;
    throw failure;
  }
}

/** The very same bytes where nothing is cut out. Throws StrictJsonError where the text could be read in two ways. */
function filtered(text: Buffer, lists: ReadonlyMap<string, Shows>): Buffer {
  const message = parsed(text);
  if (message === undefined) return text;
  const messages = Array.isArray(message) ? message : [message];
  const spans = Array.isArray(message) ? elements(text, 0) : [{ start: 0, end: text.length }];
  const cuts = spans.flatMap((span, index) => cutsOf(text, span, messages[index]!, lists));
  return cuts.length === 0 ? text : applySplices(text, cuts);
}

function cutsOf(text: Buffer, span: Span, message: Json, lists: ReadonlyMap<string, Shows>): Splice[] {
  if (!isObject(message) || !isObject(message.result)) return [];
  const cuts: Splice[] = [];
  for (const [member, shows] of lists) {
    const entries = message.result[member];
    if (!Array.isArray(entries)) continue;
    const kept = entries.map((entry) => isObject(entry) && shows(entry));
    if (kept.includes(false)) cuts.push(cutList(text, listSpan(text, span, member), kept));
  }
  return cuts;
}

function listSpan(text: Buffer, message: Span, member: string): Span {
  const result = memberValue(text, message.start, 'result')!;
  return memberValue(text, result.start, member)!;
}

function cutList(text: Buffer, list: Span, kept: readonly boolean[]): Splice {
  const parts = elements(text, list.start).filter((_, index) => kept[index]);
  const insert = Buffer.from(
    `[${parts.map(({ start, end }) => text.toString('utf8', start, end)).join(',')}]`,
  );
  return { at: list.start, remove: list.end - list.start, insert };
}

/** Undefined for what is no JSON at all: an empty event, an error page. */
function parsed(text: Buffer): Json | undefined {
  try {
    return parseStrict(text);
  } catch (failure) {
    if (failure instanceof StrictJsonError && failure.reason === 'malformed_json') return undefined;
    throw failure;
  }
}
