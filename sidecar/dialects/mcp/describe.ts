// A request as the stages see it: which acts it asks for, whether its answer is a list to filter, whether it stays open.

import type { Act, Description, Endpoint, JsonBody, RequestHead } from '../dialect.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { actsOf, LIST_METHODS } from './acts.ts';
import { compareHeaders } from './headers.ts';
import { bad, readMessages } from './messages.ts';
import { END_SESSION, LISTEN, TOOL_CALL } from './recognise.ts';
import { hasBatches, STATELESS_VERSION, versionOf } from './versions.ts';

/** Throws Refusal `bad_request` for what is no message, or says one thing in its headers and another in its body. */
export function describe(endpoint: Endpoint, head: RequestHead, body: JsonBody): Description {
  const version = versionOf(head);
  if (endpoint === LISTEN || endpoint === END_SESSION) return session(endpoint, version);
  const messages = readMessages(body, hasBatches(version));
  compareHeaders(head, messages);
  const acts = messages.flatMap(actsOf);
  if (Array.isArray(body) && acts.some(({ method }) => method === 'initialize'))
    throw bad('batch', 'A session cannot begin within a batch.');
  const toolCalls = acts.filter(({ method }) => method === 'tools/call').length;
  return {
    ...nothingAsked(toolCalls > 0 ? TOOL_CALL : endpoint),
    choices: Math.max(1, toolCalls),
    acts,
    rewritten: acts.some(isList),
    ...(acts[0]?.method === 'subscriptions/listen' && { listens: true }),
  };
}

/** What is resumed may hold a list that was asked for before the connection broke, so it is read as one. */
function session(endpoint: Endpoint, version: string | null): Description {
  if (version === STATELESS_VERSION)
    throw bad('method_of_version', `${STATELESS_VERSION} has no sessions: only POST is known.`);
  const listening = endpoint === LISTEN;
  const act: Act = { method: listening ? 'GET' : 'DELETE', name: '', args: {} };
  return {
    ...nothingAsked(endpoint),
    acts: [act],
    rewritten: listening,
    ...(listening && { listens: true }),
  };
}

const isList = ({ method }: Act): boolean => LIST_METHODS.some((list) => list === method);
