// What one agent can ask of another, in both versions' words: the methods of the JSON-RPC binding. The lists are closed,
// for what a method does decides whether it is judged as an act. Source: a2a-protocol.org, specification 0.3.0 § 7 and
// 1.0.0 § 9.

import type { Endpoint } from '../dialect.ts';

export type Version = '0.3' | '1.0';

const SENDING = { operation: 'invoke_agent', billed: 'call' } as const;
const BESIDE = { operation: null, billed: 'free' } as const;

/** Asks the agent to do something: what rules are about. */
export const SEND: Endpoint = { ...SENDING, name: 'send', body: 'object' };
export const STREAM: Endpoint = { ...SENDING, name: 'stream', body: 'object' };
/** Follows a task that goes on; the answer is a stream. */
export const SUBSCRIBE: Endpoint = { ...BESIDE, name: 'subscribe', body: 'object' };
/** Looks at tasks, or ends one. */
export const TASK: Endpoint = { ...BESIDE, name: 'task', body: 'object' };
/** Says where the agent shall call back to. */
export const CALLBACK: Endpoint = { ...BESIDE, name: 'callback', body: 'object' };
/** Looks at callbacks, or takes one away. */
export const CALLBACKS: Endpoint = { ...BESIDE, name: 'callbacks', body: 'object' };
export const CARD: Endpoint = { ...BESIDE, name: 'card', body: 'object' };

export interface Method {
  readonly version: Version;
  readonly endpoint: Endpoint;
}

const of = (version: Version, methods: Readonly<Record<string, Endpoint>>): [string, Method][] =>
  Object.entries(methods).map(([name, endpoint]) => [name, { version, endpoint }]);

export const METHODS: ReadonlyMap<string, Method> = new Map([
  ...of('0.3', {
    'message/send': SEND,
    'message/stream': STREAM,
    'tasks/get': TASK,
    'tasks/list': TASK,
    'tasks/cancel': TASK,
    'tasks/resubscribe': SUBSCRIBE,
    'tasks/pushNotificationConfig/set': CALLBACK,
    'tasks/pushNotificationConfig/get': CALLBACKS,
    'tasks/pushNotificationConfig/list': CALLBACKS,
    'tasks/pushNotificationConfig/delete': CALLBACKS,
    'agent/getAuthenticatedExtendedCard': CARD,
  }),
  ...of('1.0', {
    SendMessage: SEND,
    SendStreamingMessage: STREAM,
    GetTask: TASK,
    ListTasks: TASK,
    CancelTask: TASK,
    SubscribeToTask: SUBSCRIBE,
    CreateTaskPushNotificationConfig: CALLBACK,
    GetTaskPushNotificationConfig: CALLBACKS,
    ListTaskPushNotificationConfigs: CALLBACKS,
    DeleteTaskPushNotificationConfig: CALLBACKS,
    GetExtendedAgentCard: CARD,
  }),
]);
