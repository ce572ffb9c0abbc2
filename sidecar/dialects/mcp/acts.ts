// What a message asks for, by the name that rules match: a tool by its own name, a resource as `resource:<uri>`, a
// prompt as `prompt:<name>`. The protocol's own side methods are nameless: any rule that opens something of the server
// opens them. A method nobody knows is `method:<name>`, so it is denied unless a rule names it.

import { Refusal } from '../../../contract/refusals.ts';
import type { Act, Json, JsonObject } from '../dialect.ts';
import { badField, identifier, isObject, optionalArray, optionalObject } from '../fields.ts';
import { bad, type Message } from './messages.ts';

export const LIST_METHODS = [
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
] as const;

const NAMELESS: ReadonlySet<string> = new Set([
  ...LIST_METHODS,
  'initialize',
  'ping',
  'server/discover',
  'logging/setLevel',
  'tasks/get',
  'tasks/update',
  'tasks/result',
  'tasks/list',
  'tasks/cancel',
]);
const NOTHING: JsonObject = {};
const URI_CHARACTERS_MAX = 8192;
/** A server that resolves these would read another resource than the one that was judged. */
const DOT_SEGMENT = /(?:^|[/\\:]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\?#]|%2f|%5c|$)/i;

/** Usually one; a stream of changes to several resources is one for each. Throws Refusal `bad_request`. */
export function actsOf(message: Message): Act[] {
  if (message.kind === 'response') return [{ method: 'response', name: '', args: NOTHING }];
  const { method, params } = message;
  const act = (name: string, args: JsonObject = params): Act => ({ method, name, args });
  switch (method) {
    case 'tools/call':
      return [act(toolName(params.name), optionalObject(params, 'arguments') ?? NOTHING)];
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return [act(resourceName(params.uri))];
    case 'prompts/get':
      return [act(promptName(params.name), optionalObject(params, 'arguments') ?? NOTHING)];
    case 'completion/complete':
      return [act(referenceName(params.ref))];
    case 'subscriptions/listen':
      return [act('', NOTHING), ...listenedTo(params).map((uri) => act(resourceName(uri)))];
  }
  const nameless =
    NAMELESS.has(method) || (message.kind === 'notification' && method.startsWith('notifications/'));
  return [nameless ? act('', NOTHING) : act(`method:${method}`)];
}

/** As rules and lists name it. */
export const promptName = (name: Json | undefined): string => `prompt:${identifier(name, 'name')}`;

export function resourceName(uri: Json | undefined): string {
  const text = identifier(uri, 'uri', URI_CHARACTERS_MAX);
  if (DOT_SEGMENT.test(text))
    throw bad('uri_not_canonical', 'The uri holds a dot segment; write it without.');
  return `resource:${text}`;
}

/** A tool named as if it were something else would be judged by that thing's rules. */
export function toolName(name: Json | undefined): string {
  const text = identifier(name, 'name');
  if (/^(?:resource|prompt|method):/.test(text))
    throw new Refusal(
      'bad_request',
      `A tool cannot be called "${text}": rules read that as something else.`,
      {
        reason: 'tool_name',
      },
    );
  return text;
}

function referenceName(reference: Json | undefined): string {
  if (!isObject(reference)) throw badField('ref', 'an object');
  if (reference.type === 'ref/prompt') return promptName(reference.name);
  if (reference.type === 'ref/resource') return resourceName(reference.uri);
  throw badField('ref.type', '"ref/prompt" or "ref/resource"');
}

function listenedTo(params: JsonObject): readonly Json[] {
  const asked = optionalObject(params, 'notifications');
  return asked ? optionalArray(asked, 'resourceSubscriptions') : [];
}
