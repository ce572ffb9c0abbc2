// Ways past the rules, as data: a provider's host by another name, an upstream's credential beside its path, bodies that
// hide what is prohibited. Each goes through the stages that decide, and is refused, or leaves as the line says.

import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../contract/config/parse.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Accepted, Admitted, Classified, Policy } from '../../sidecar/call.ts';
import { a2a } from '../../sidecar/dialects/a2a.ts';
import { gemini } from '../../sidecar/dialects/gemini.ts';
import { http } from '../../sidecar/dialects/http.ts';
import { mcp } from '../../sidecar/dialects/mcp.ts';
import { openai } from '../../sidecar/dialects/openai.ts';
import { authorize } from '../../sidecar/stages/authorize.ts';
import { classify } from '../../sidecar/stages/classify.ts';
import { inject } from '../../sidecar/stages/inject.ts';
import { agentAlone } from '../../sidecar/state/agents.ts';
import { createBatchFiles } from '../../sidecar/state/batch-files.ts';
import { createRates } from '../../sidecar/state/rates.ts';
import { wayThrough } from '../../sidecar/way-through.ts';

interface Attempt {
  readonly id: string;
  readonly agent?: 'scout' | 'watched';
  /** `METHOD url`, or `METHOD /upstream/path` at the reverse door, or `CONNECT host:port`. */
  readonly send: string;
  /** Sent as JSON where it is not text. */
  readonly body?: unknown;
  /** The refusal's code; where it is not refused, what leaves: `METHOD url`, and with whose key. */
  readonly refused?: string;
  readonly reason?: string;
  readonly leaves?: string;
  readonly credential?: string;
  /** What becomes of a CONNECT. */
  readonly way?: string;
}

const attempts = readFileSync(new URL('../cases/past-the-rules.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Attempt);

const CONFIG = `fleet: f
mode: enforce
budgets: none
prohibited: [llm openai/gpt-5-pro, mcp files/delete_*, tool shell]
upstreams:
  raw: { url: https://api.openai.com, speaks: http, credential: key }
  openai: { url: https://api.openai.com/v1, speaks: openai, credential: key }
  gemini: { url: https://generativelanguage.googleapis.com, speaks: gemini, credential: key }
  files: { url: https://tools.example/files, speaks: mcp, credential: key }
  around: { url: https://tools.example, speaks: http, credential: key }
  writer: { url: https://agents.example/writer, speaks: a2a, credential: key }
  free: { url: https://free.example/v1, speaks: openai, credential: key }
credentials: { key: { from: env:KEY } }
roles:
  r:
    allow:
      - llm openai/*
      - llm gemini/gemini-2.5-flash
      - llm free/*
      - mcp files/*
      - a2a writer/*
      - http POST https://api.openai.com/**
      - http POST https://tools.example/**
      - http POST http://**/**
      - http POST https://**/**
      - connect **:443
agents:
  scout: { role: r }
  watched: { role: r, mode: observe }
`;
const DIALECTS = { openai, gemini, mcp, a2a, http };

let policy: Policy;
beforeAll(async () => {
  const { config } = await parseConfig([{ file: 'c.yaml', text: CONFIG }]);
  policy = { config, digest: 'd', prices: {} } as unknown as Policy;
});

function destinationOf(target: string): Pick<Accepted, 'to' | 'path' | 'query'> {
  if (target.startsWith('/')) {
    const [, name = '', path = '/', query = ''] = /^\/([^/?]+)(\/[^?]*)?(\?.*)?$/.exec(target) ?? [];
    return { to: { kind: 'upstream', name }, path, query };
  }
  const { origin, pathname, search } = new URL(target);
  return { to: { kind: 'url', origin }, path: pathname, query: search };
}

async function outcomeOf({ agent = 'scout', send, body }: Attempt): Promise<object> {
  const [method = '', target = ''] = send.split(' ');
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? ''));
  const headers = {
    'content-type': 'application/json',
    ...(body !== undefined && { 'content-length': String(bytes.length) }),
  };
  const request = { headers, rawHeaders: Object.entries(headers).flat(), url: target };
  const identity = agentAlone(policy.config, agent, 'i');
  const identification = {
    agents: { identify: () => identity },
    seen: () => undefined,
    lineageOf: () => ({}),
  };
  if (method === 'CONNECT') {
    const [host = '', port] = target.split(':');
    const accepted = { policy, request } as unknown as Accepted;
    return { way: wayThrough(accepted, { host, port: Number(port) }, identification as never) };
  }
  const identified = {
    ...destinationOf(target),
    method,
    policy,
    request: request as unknown as IncomingMessage,
    agent: identity,
    lineage: { task: 't', traceId: '', spanId: '', baggage: '', traceState: '' },
  };
  const bodies = { read: async () => bytes, bytesInFlight: 0 };
  const classified: Classified = await classify(identified as never, { dialects: DIALECTS, bodies });
  const authorized = authorize(classified, {
    rates: createRates({ monotonicMs: () => 0 } as never),
    changed: () => false,
    batchFiles: createBatchFiles(),
    now: () => new Date(0),
  });
  const { outbound } = await inject(authorized as unknown as Admitted, { read: () => 'secret' });
  const leaves = `${outbound.method} ${outbound.origin}${outbound.path}`;
  return { leaves, credential: outbound.credential };
}

const refusedOr = (work: Promise<object>): Promise<object> =>
  work.catch((failure) => {
    if (failure instanceof Refusal) return { refused: failure.code, reason: failure.detail.reason };
    throw failure;
  });

describe('a way past the rules', () => {
  it.each(attempts)('$id', async (attempt) => {
    const { refused, reason, leaves, credential = '', way } = attempt;
    const expected = refused ? { refused, reason } : way ? { way } : { leaves, credential };
    expect(await refusedOr(outcomeOf(attempt))).toEqual(expected);
  });
});
