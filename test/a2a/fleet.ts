// One Outrider in front of the sample agent, as real processes, and the official client that comes through it.

import {
  type Client,
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client';
import { type Fleet, startFleet } from '../end-to-end/fleet.ts';
import { type SampleAgent, startAgent } from './agent.ts';

export interface AgentFleet extends Fleet {
  readonly agent: SampleAgent;
  /** Calls of which the client got an answer, in order: their ids. */
  readonly calls: readonly string[];
  client(binding: Binding, version: '0.3' | '1.0'): Promise<Client>;
}

export type Binding = 'JSONRPC' | 'HTTP+JSON';

const CONFIG = `fleet: test
mode: enforce
budgets: [$1000/month]
upstreams:
  writer: { url: "{agent}", speaks: a2a }
roles:
  editor:
    allow:
      - a2a writer/summarise
      - a2a writer/default when args.message.parts.size() == 1
      - http POST https://hooks.example/**
    deny: [a2a writer/forget]
agents:
  scout: { role: editor, budgets: [$100/month] }
prices:
  writer: { call: $0.01 }
timeouts: { connect: 2s, first_byte: 5s, idle: 5s, total: 20s }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

export async function startAgentFleet(): Promise<AgentFleet> {
  const agent = await startAgent();
  const fleet = await startFleet(CONFIG.replaceAll('{agent}', agent.url));
  const stopFleet = fleet.stop;
  const calls: string[] = [];
  const fetchImpl: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    calls.push(answer.headers.get('x-outrider-call') ?? '');
    return answer;
  };
  const stop = async (): Promise<number | null> => {
    await agent.stop();
    return stopFleet();
  };
  const client = (binding: Binding, version: '0.3' | '1.0'): Promise<Client> => {
    const options = { fetchImpl, legacyCompat: { enabled: true } };
    const factory = new ClientFactory({
      transports: [new JsonRpcTransportFactory(options), new RestTransportFactory(options)],
      preferredTransports: [binding],
      cardResolver: cardOfOneVersion(fetchImpl, version),
    });
    return factory.createFromUrl(`${fleet.proxy}/writer/`);
  };
  return Object.assign(fleet, { agent, calls, client, stop });
}

/** The card as an agent of that version alone would have it: the client takes the newest it finds. */
function cardOfOneVersion(fetchImpl: typeof fetch, version: string): DefaultAgentCardResolver {
  const resolver = new DefaultAgentCardResolver({ fetchImpl, legacyCompat: { enabled: true } });
  const resolve = resolver.resolve.bind(resolver);
  resolver.resolve = async (baseUrl, path) => {
    const card = await resolve(baseUrl, path);
    const supportedInterfaces = card.supportedInterfaces.filter((one) => one.protocolVersion === version);
    return { ...card, supportedInterfaces };
  };
  return resolver;
}
