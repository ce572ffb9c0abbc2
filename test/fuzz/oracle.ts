// The rules of `places.ts` once more, written apart from the code that enforces them: what may reach the origin, judged
// by the bytes that did.

import type { IncomingMessage } from 'node:http';

interface Asked {
  readonly model?: unknown;
  readonly tools?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly name?: unknown };
}

/** What is wrong with a request, as a sentence; undefined when a rule allows it. */
export function wrongWith({ method, url = '' }: IncomingMessage, body: Buffer): string | undefined {
  const path = url.split('?')[0]!;
  if (path.startsWith('/pages')) return wrongWithPage(method, path);
  if (path === '/mcp') return wrongWithTool(parsed(body));
  if (/^\/agent(?:\/|$)/.test(path)) return wrongWithAgent(method, path, body);
  return wrongWithModel(method, path, parsed(body));
}

/** An upgrade: the same places as `wrongWith`, and only one of them. */
export function wrongWithUpgrade({ method, url = '', headers }: IncomingMessage): string | undefined {
  const path = url.split('?')[0]!;
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return 'no upgrade to a WebSocket';
  if (headers['sec-websocket-extensions'] !== undefined) return 'an extension that is offered';
  if (!path.startsWith('/pages/live/') || !isCanonical(path)) return 'an upgrade that no rule allows';
  return undefined;
}

/** Nothing in it that another reader could take for another path. */
function isCanonical(path: string): boolean {
  const escapes = [...path.matchAll(/%(.{0,2})/g)].map(([, digits]) => digits!);
  if (escapes.some((digits) => !/^[2-9A-F][0-9A-F]$/.test(digits))) return false;
  return (
    !escapes.some((digits) => /^(?:2[EF]|5C|7F)$/.test(digits)) && !/\/\.{1,2}(?:\/|$)|\/\/|\\/.test(path)
  );
}

function wrongWithPage(method: string | undefined, path: string): string | undefined {
  if (!path.startsWith('/pages/ok/') || !isCanonical(path)) return 'a path that no rule allows';
  return method === 'GET' || method === 'HEAD' ? undefined : 'a page is only read';
}

/** Up to five segments may stand before what an API's own paths begin with. */
const under = (place: string, paths: string): RegExp => new RegExp(`^/${place}(?:/[^/]+){0,5}/${paths}$`);

const FREE = {
  GET: [
    under('o', 'models(?:/[^/]+){0,3}'),
    under('a', 'v1/models(?:/[^/]+)?'),
    under('g', 'models(?:/[^/]+)?'),
  ],
  HEAD: [/^\/a(?:\/(?:api\/hello)?)?$/],
  POST: [under('g', 'models/[^/:]+:countTokens')],
};
/** The model stands in the path. */
const NAMED = [
  under('b', 'model/amazon\\.nova-lite-v1(?::|%3A)0/converse(?:-stream)?'),
  under('g', 'models/gemini-2\\.5-flash:(?:g|streamG)enerateContent'),
];
const OF_OPENAI = under('o', '(?:chat/completions|completions|responses|responses/input_tokens|embeddings)');
const OF_ANTHROPIC = /^\/a\/v1\/messages(?:\/count_tokens)?$/;

function wrongWithModel(method = '', path: string, asked: Asked | undefined): string | undefined {
  if (method in FREE && FREE[method as keyof typeof FREE].some((free) => free.test(path))) return undefined;
  if (method !== 'POST') return 'a method that no API has';
  if (holdsHosted(asked)) return 'a tool of the provider that no rule allows';
  if (NAMED.some((named) => named.test(path))) return undefined;
  const model = OF_OPENAI.test(path) ? 'gpt-5-mini' : OF_ANTHROPIC.test(path) ? 'claude-haiku-4-5' : null;
  if (model === null) return 'a path that no rule allows';
  return asked?.model === model ? undefined : 'a model that no rule allows';
}

function holdsHosted(asked: Asked | undefined): boolean {
  return /"web_search"|"googleSearch"/.test(JSON.stringify(asked?.tools) ?? '');
}

function wrongWithTool(asked: Asked | undefined): string | undefined {
  if (asked?.method !== 'tools/call') return undefined;
  return /^read_/.test(String(asked.params?.name)) ? undefined : 'a tool that no rule allows';
}

interface Message {
  readonly metadata?: { readonly skillId?: unknown; readonly skill?: unknown } | null;
  readonly message?: Message;
  readonly request?: Message;
  readonly configuration?: unknown;
}

const SENDING = /^(?:message\/send|message\/stream|SendMessage|SendStreamingMessage)$/;
const SENT_TO = /\/message:(?:send|stream)$/;
const BESIDE_METHOD =
  /^(?:tasks\/(?:get|list|cancel|resubscribe)|(?:Get|List|Cancel|SubscribeTo)Tasks?|agent\/getAuthenticatedExtendedCard|GetExtendedAgentCard|tasks\/pushNotificationConfig\/\w+|\w+TaskPushNotificationConfigs?)$/;
const BESIDE_POST = /\/tasks\/[^/]+(?::cancel|:subscribe|\/pushNotificationConfigs)$/;
const BESIDE_GET =
  /\/(?:\.well-known\/agent(?:-card)?\.json|extendedAgentCard|v1\/card|agent\/authenticatedExtendedCard|tasks(?:\/.+)?)$/;

function wrongWithAgent(method = '', path: string, body: Buffer): string | undefined {
  if (method !== 'POST')
    return BESIDE_GET.test(path) && /^(?:GET|HEAD|DELETE)$/.test(method) ? undefined : 'no path of an agent';
  if (BESIDE_POST.test(path)) return undefined;
  const asked = parsed(body);
  if (SENT_TO.test(path)) return wrongWithMessage(asked as Message | undefined);
  if (BESIDE_METHOD.test(String(asked?.method))) return undefined;
  if (!SENDING.test(String(asked?.method))) return 'a method that no agent has';
  return wrongWithMessage(asked?.params as Message | undefined);
}

function wrongWithMessage(params: Message | undefined): string | undefined {
  const skills = [params, params?.message, params?.request].flatMap((place) => [
    place?.metadata?.skillId,
    place?.metadata?.skill,
  ]);
  const named = skills.filter((skill) => skill !== undefined);
  if (named.length === 0 || named.some((skill) => skill !== 'summarise'))
    return 'a skill that no rule allows';
  return /evil/.test(JSON.stringify(params?.configuration) ?? '')
    ? 'a callback that no rule allows'
    : undefined;
}

function parsed(body: Buffer): Asked | undefined {
  try {
    return JSON.parse(body.toString()) as Asked;
  } catch {
    return undefined;
  }
}
