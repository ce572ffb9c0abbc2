// Requests to agents that two readers could take for two things, as data; and the card, from which nothing may lead
// past the sidecar.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { cardFor } from '../../../sidecar/dialects/a2a/card.ts';
import { a2a } from '../../../sidecar/dialects/a2a.ts';
import type { AnswerView, JsonObject } from '../../../sidecar/dialects/dialect.ts';

interface Case {
  readonly id: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly reason: string;
}

const CASES = readFileSync(new URL('../../cases/a2a-requests.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

function reasonOf({ path = '/rpc', query = '', headers = {}, body }: Case): string | undefined {
  const head = { method: 'POST', path, query, headers };
  const endpoint = a2a.recognise(head, '');
  if (!endpoint) return 'unknown_endpoint';
  try {
    a2a.describe(endpoint, head, body, Buffer.from(JSON.stringify(body)));
    return undefined;
  } catch (failure) {
    if (!(failure instanceof Refusal)) throw failure;
    return failure.detail.reason;
  }
}

describe('a request to an agent', () => {
  it.each(CASES)('is refused: $id', (one) => {
    expect(reasonOf(one)).toBe(one.reason);
  });
});

const view = (closed: readonly string[] = []) =>
  ({
    upstream: 'writer',
    upstreamUrl: 'http://writer.example:9000/team',
    reachedAs: 'http://127.0.0.1:4320/writer',
    allows: (subject: { skill: string }) => !closed.includes(subject.skill),
  }) as unknown as AnswerView;

describe('a card', () => {
  it('leads back here in both versions, and nowhere else', () => {
    const card = cardFor(
      {
        url: 'http://writer.example:9000/team/rpc',
        preferredTransport: 'JSONRPC',
        additionalInterfaces: [
          { url: 'http://writer.example:9000/team/http', transport: 'HTTP+JSON' },
          { url: 'http://writer.example:9000/team/grpc', transport: 'GRPC' },
          { url: 'http://writer.example:9000/teams/rpc', transport: 'JSONRPC' },
        ],
        supportedInterfaces: [
          { url: 'http://writer.example:9000/team', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
          { url: 'http://writer.example:9001/team', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
          { url: '/team/rpc', protocolBinding: 'JSONRPC' },
        ],
        signatures: [{ protected: 'x', signature: 'y' }],
        skills: [{ id: 'summarise' }, { id: 'publish' }],
      },
      view(['publish']),
    );
    expect(card).toEqual({
      url: 'http://127.0.0.1:4320/writer/rpc',
      preferredTransport: 'JSONRPC',
      additionalInterfaces: [{ url: 'http://127.0.0.1:4320/writer/http', transport: 'HTTP+JSON' }],
      supportedInterfaces: [
        { url: 'http://127.0.0.1:4320/writer', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      ],
      skills: [{ id: 'summarise' }],
    });
  });

  it('puts another binding first where the main one leads elsewhere', () => {
    const additionalInterfaces = [{ url: 'http://writer.example:9000/team/http', transport: 'HTTP+JSON' }];
    const card = { url: 'http://elsewhere.example/', preferredTransport: 'JSONRPC', additionalInterfaces };
    const reached = 'http://127.0.0.1:4320/writer/http';
    expect(cardFor(card, view())).toMatchObject({ url: reached, preferredTransport: 'HTTP+JSON' });
    expect(cardFor({ url: 'http://elsewhere.example/' }, view())).toEqual({});
  });
});
