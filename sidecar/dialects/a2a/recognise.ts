// Which paths of an agent we know. Its card says where its bindings are, so any prefix may stand before them: the
// HTTP+JSON binding is known by how its paths end, a card by its well-known place, and every other POST is the JSON-RPC
// binding, which its body must then be. A path that only a lenient router would take for one of the HTTP binding
// (`/Message:Send/`, `/message%3Asend`) is none: it would be judged as one thing and read as another.

import type { Endpoint, RequestHead } from '../dialect.ts';
import { CALLBACK, CALLBACKS, CARD, SEND, STREAM, SUBSCRIBE, TASK } from './methods.ts';

/** Which of the methods it is says the body; until that is read it counts as sending a message. */
export const RPC: Endpoint = { operation: 'invoke_agent', billed: 'call', name: 'rpc', body: 'object' };

interface Route {
  readonly methods: readonly string[];
  readonly path: RegExp;
  readonly endpoint: Endpoint;
}

const bodiless = (endpoint: Endpoint): Endpoint => ({ ...endpoint, body: null });
/** What 1.0 registers for this binding; it is plain JSON. */
const inHttp = (endpoint: Endpoint): Endpoint => ({ ...endpoint, mediaType: 'application/a2a+json' });
/** The body may be left out: it is read as bytes first. */
const bodied = (endpoint: Endpoint): Endpoint => ({ ...endpoint, body: 'bytes' });

const TASK_ID = '/tasks/[^/:]+';
const CONFIGS = `${TASK_ID}/pushNotificationConfigs`;
const ending = (pattern: string): RegExp => new RegExp(`${pattern}$`);

const GETS: readonly Route[] = [
  {
    methods: ['GET', 'HEAD'],
    path: ending('/\\.well-known/agent(?:-card)?\\.json'),
    endpoint: bodiless(CARD),
  },
  {
    methods: ['GET'],
    path: ending('/(?:extendedAgentCard|v1/card|agent/authenticatedExtendedCard)'),
    endpoint: bodiless(CARD),
  },
  { methods: ['GET'], path: ending('/tasks'), endpoint: bodiless(TASK) },
  { methods: ['GET'], path: ending(TASK_ID), endpoint: bodiless(TASK) },
  { methods: ['GET'], path: ending(`${TASK_ID}:subscribe`), endpoint: bodiless(SUBSCRIBE) },
  { methods: ['GET'], path: ending(`${CONFIGS}(?:/[^/]+)?`), endpoint: bodiless(CALLBACKS) },
  { methods: ['DELETE'], path: ending(`${CONFIGS}/[^/]+`), endpoint: bodiless(CALLBACKS) },
];

const POSTS: readonly Route[] = [
  { methods: ['POST'], path: ending('/message:send'), endpoint: inHttp(SEND) },
  { methods: ['POST'], path: ending('/message:stream'), endpoint: inHttp(STREAM) },
  { methods: ['POST'], path: ending(`${TASK_ID}:cancel`), endpoint: bodied(TASK) },
  { methods: ['POST'], path: ending(`${TASK_ID}:subscribe`), endpoint: bodied(SUBSCRIBE) },
  { methods: ['POST'], path: ending(CONFIGS), endpoint: inHttp(CALLBACK) },
];

const LENIENTLY = /(?:\/message:\w+|\/tasks\/[^/]+(?::\w+|\/pushnotificationconfigs(?:\/.*)?))\/?$/i;

export function recognise({ method, path }: RequestHead): Endpoint | undefined {
  const routes = method === 'POST' ? POSTS : GETS;
  for (const route of routes) {
    if (route.methods.includes(method) && route.path.test(path)) return route.endpoint;
  }
  if (method !== 'POST' || LENIENTLY.test(decodeURIComponent(path))) return undefined;
  return RPC;
}
