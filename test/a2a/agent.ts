// Another agent, made with the official A2A SDK and unmodified: the same skills over JSON-RPC and HTTP+JSON, in both
// versions of the protocol. What a message says is what happens to it.

import type { AddressInfo } from 'node:net';
import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import { duplicateInterfacesForLegacy } from '@a2a-js/sdk/compat/v0_3';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryPushNotificationStore,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import express from 'express';

export interface SampleAgent {
  readonly url: string;
  /** Heads of everything it was asked, in order. */
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `at` is the address its card names, where that is not its own: what stands in front of it. */
export async function startAgent({ at }: { readonly at?: string } = {}): Promise<SampleAgent> {
  const app = express();
  const received: Received[] = [];
  app.use((request, _response, next) => {
    received.push({ method: request.method, path: request.originalUrl, headers: request.headers });
    next();
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const card = cardOf(at ?? url);
  const requestHandler = new DefaultRequestHandler(
    card,
    new InMemoryTaskStore(),
    new Writer(),
    undefined,
    new InMemoryPushNotificationStore(),
    undefined,
    { ...card, description: 'The extended card.' },
  );
  const common = {
    requestHandler,
    userBuilder: UserBuilder.noAuthentication,
    legacyCompat: { enabled: true },
  };
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat: { enabled: true } }),
  );
  app.use('/a2a/rpc', jsonRpcHandler(common));
  app.use('/a2a/http', restHandler(common));
  return {
    url,
    received,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One more interface is named, at a place that is not this agent's. */
function cardOf(url: string): AgentCard {
  const skill = (id: string) => ({ id, name: id, description: `Can ${id}.`, tags: ['text'] });
  const card = AgentCard.fromJSON({
    name: 'Writer',
    description: 'Writes, and summarises what others wrote.',
    version: '1.0.0',
    supportedInterfaces: [
      { url: `${url}/a2a/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: `${url}/a2a/http`, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
      { url: `${url}/grpc`, protocolBinding: 'GRPC', protocolVersion: '1.0' },
      { url: 'http://elsewhere.example/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [skill('summarise'), skill('publish')],
    signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2lnbmF0dXJl' }],
  });
  const both = duplicateInterfacesForLegacy(card.supportedInterfaces, ['JSONRPC', 'HTTP+JSON']);
  return { ...card, supportedInterfaces: both };
}

class Writer implements AgentExecutor {
  readonly #cancelled = new Map<string, () => void>();

  async execute(context: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const said = context.userMessage.parts[0]?.content;
    const text = said?.$case === 'text' ? said.value : '';
    const { taskId, contextId } = context;
    if (text === 'hello') {
      bus.publish(AgentEvent.message(messageOf(contextId, 'Hello.')));
      return bus.finished();
    }
    const status = (state: string): void =>
      bus.publish(AgentEvent.statusUpdate(statusOf(taskId, contextId, state)));
    if (!context.task) bus.publish(AgentEvent.task(taskOf(taskId, contextId)));
    status('TASK_STATE_WORKING');
    if (text === 'wait') {
      await new Promise<void>((resolve) => this.#cancelled.set(taskId, resolve));
      status('TASK_STATE_CANCELED');
    } else if (text === 'ask') status('TASK_STATE_INPUT_REQUIRED');
    else if (text === 'fail') status('TASK_STATE_FAILED');
    else if (text === 'reject') status('TASK_STATE_REJECTED');
    else {
      bus.publish(AgentEvent.artifactUpdate(artifactOf(taskId, contextId, `About ${text}.`)));
      status('TASK_STATE_COMPLETED');
    }
    bus.finished();
  }

  async cancelTask(taskId: string): Promise<void> {
    this.#cancelled.get(taskId)?.();
  }
}

const messageOf = (contextId: string, text: string): Message =>
  Message.fromJSON({ messageId: 'answer-1', contextId, role: 'ROLE_AGENT', parts: [{ text }] });

const taskOf = (id: string, contextId: string): Task =>
  Task.fromJSON({ id, contextId, status: { state: 'TASK_STATE_SUBMITTED' } });

const statusOf = (taskId: string, contextId: string, state: string): TaskStatusUpdateEvent =>
  TaskStatusUpdateEvent.fromJSON({ taskId, contextId, status: { state } });

const artifactOf = (taskId: string, contextId: string, text: string): TaskArtifactUpdateEvent =>
  TaskArtifactUpdateEvent.fromJSON({
    taskId,
    contextId,
    artifact: { artifactId: 'text', parts: [{ text }] },
    lastChunk: true,
  });
