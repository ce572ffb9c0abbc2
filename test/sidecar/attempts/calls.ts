// Calls as they stand once they are authorized, made by the same functions: a config is parsed, a request recognised and
// described, its rules weighed.

import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { basePathOf } from '../../../contract/config/addresses.ts';
import type { Config } from '../../../contract/config/config.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import { parseStrict } from '../../../kit/strict-json.ts';
import { type Authorized, begin, learn } from '../../../sidecar/call.ts';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import type { Dialect, JsonBody } from '../../../sidecar/dialects/dialect.ts';
import { gemini } from '../../../sidecar/dialects/gemini.ts';
import { http } from '../../../sidecar/dialects/http.ts';
import { mcp } from '../../../sidecar/dialects/mcp.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';
import { judgementOf } from '../../../sidecar/stages/authorize.ts';
import { agentAlone } from '../../../sidecar/state/agents.ts';

export const DIALECTS: Readonly<Record<string, Dialect>> = { openai, anthropic, gemini, http, mcp };
export const now = (): Date => new Date(0);

export interface Asked {
  readonly upstream: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: object;
  readonly headers?: IncomingHttpHeaders;
}

/** The other side of a response as far as waiting looks at it. */
export class Response extends EventEmitter {
  destroyed = false;
  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

export const configOf = async (yaml: string): Promise<Config> =>
  (await parseConfig([{ file: 'outrider.yaml', text: yaml }])).config;

export function callOf(config: Config, asked: Asked, response = new Response()): Authorized {
  const { method = 'POST', path } = asked;
  const headers = { 'content-type': 'application/json', ...asked.headers };
  const upstream = config.upstreams.get(asked.upstream)!;
  const dialect = DIALECTS[upstream.speaks]!;
  const head = { method, path, query: '', headers };
  const body = Buffer.from(asked.body ? JSON.stringify(asked.body) : '');
  const endpoint = dialect.recognise(head, basePathOf(upstream.url))!;
  const json = asked.body ? (parseStrict(body) as JsonBody) : undefined;
  const description = dialect.describe(endpoint, head, json ?? {}, body);
  const accepted = begin({
    id: 'first',
    startedAtMs: 0,
    startedMonotonicMs: 0,
    method,
    to: { kind: 'upstream', name: upstream.name },
    path,
    query: '',
    request: { headers, rawHeaders: [] } as never,
    response: response as never,
    proxyAuthorization: undefined,
    policy: { config, digest: 'd', prices: {} as never },
  });
  const call = learn(accepted, {
    agent: agentAlone(config, 'scout', 'one'),
    lineage: { task: 't', traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) } as never,
    upstream,
    dialect,
    head,
    endpoint: description.endpoint,
    description,
    body,
    bodyDigest: '',
    json,
    batchFile: undefined,
  });
  const judgement = judgementOf(call, { now });
  return learn(call, { judgement, json: undefined }); // let go of, as when it is sent
}
