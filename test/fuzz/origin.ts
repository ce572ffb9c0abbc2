// What stands behind the sidecar: it keeps what it received and judges each request by itself, from its bytes, whether
// any rule of the agent allowed that. A request it cannot parse is a violation: heads are rebuilt, so none may come.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  /** Of the record that must allow it: the caller's span in `traceparent`. */
  readonly spanId: string;
  readonly line: string;
  /** SHA-256 of the body, and of what it was before anything was put in that may be. */
  readonly digests: readonly string[];
}

export interface Origin {
  readonly address: string;
  /** Takes what came since it was last asked. */
  take(): Received[];
  /** What no rule allows, as sentences. */
  readonly violations: readonly string[];
  close(): Promise<void>;
}

const ANSWER = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: {},
  usage: { prompt_tokens: 1, completion_tokens: 1, input_tokens: 1, output_tokens: 1 },
});

export async function startOrigin(): Promise<Origin> {
  let received: Received[] = [];
  const violations: string[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then(
      (body) => {
        received.push(receivedOf(request, body));
        const wrong = wrongWith(request, body);
        if (wrong)
          violations.push(`${wrong}: ${request.method} ${request.url} ${body.toString('latin1', 0, 500)}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
      },
      () => response.destroy(),
    );
  });
  server.on('clientError', (failure, socket) => {
    if (!('rawPacket' in failure)) return;
    violations.push(`not HTTP: ${failure.message}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = received;
      received = [];
      return taken;
    },
    violations,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function receivedOf(request: IncomingMessage, body: Buffer): Received {
  const [, , spanId = ''] = String(request.headers.traceparent ?? '').split('-');
  return {
    spanId,
    line: `${request.method} ${request.url}`,
    digests: [body, ...withoutSplices(body)].map(digest),
  };
}

const digest = (body: Buffer): string =>
  body.length === 0 ? '' : createHash('sha256').update(body).digest('hex');

/** The closed list of what a sidecar puts into a body, each taken out, or put back to what it replaced. */
const SPLICED = [
  /"inferenceConfig":\{"maxTokens":4096\},?/,
  /"(?:max_completion_tokens|max_output_tokens|max_tokens|maxTokens)":(?:16384|4096),?/,
  /"stream_options":\{"include_usage":true\},?/,
  /"_meta":\{"traceparent":"[^"]*"(?:,"tracestate":"[^"]*")?(?:,"baggage":"[^"]*")?\},?/,
];

function withoutSplices(body: Buffer): Buffer[] {
  let texts = [body.toString('latin1')];
  for (const splice of SPLICED) {
    texts = texts.flatMap((text) => {
      const found = splice.exec(text)?.[0];
      if (found === undefined) return [text];
      const nulled = found.replace(/^("\w+"):.*?(,?)$/, '$1:null$2');
      return [text, text.replace(found, ''), text.replace(found, nulled)];
    });
  }
  return texts.slice(1).map((text) => Buffer.from(text, 'latin1'));
}

/** The rules of `fuzz.ts` once more, written apart from the code that enforces them. Undefined when it is allowed. */
function wrongWith({ method, url = '' }: IncomingMessage, body: Buffer): string | undefined {
  const path = url.split('?')[0]!;
  if (/^\/pages\/ok\/[^%\\]*$/.test(path)) {
    if (method !== 'GET' && method !== 'HEAD') return 'a page is only read';
    return /\/\.{1,2}(?:\/|$)|\/\//.test(path) ? 'a path that means another' : undefined;
  }
  if (method === 'GET' && /^\/(?:o(?:\/[^/]+){0,5}|a\/v1)\/models(?:\/[^/]+)?$/.test(path)) return undefined;
  if (method === 'HEAD' && /^\/a(?:\/(?:api\/hello)?)?$/.test(path)) return undefined;
  if (/^\/b(?:\/[^/]+){0,5}\/model\/amazon\.nova-lite-v1(?::|%3A)0\/converse(?:-stream)?$/.test(path))
    return undefined;
  const asked = parsed(body);
  if (
    /^\/o(?:\/[^/]+){0,5}\/(?:chat\/completions|completions|responses|responses\/input_tokens|embeddings)$/.test(
      path,
    )
  )
    return asked?.model === 'gpt-5-mini' ? undefined : 'a model that no rule allows';
  if (/^\/a\/v1\/messages(?:\/count_tokens)?$/.test(path))
    return asked?.model === 'claude-haiku-4-5' ? undefined : 'a model that no rule allows';
  if (path === '/mcp') return wrongWithTool(asked);
  return 'a path that no rule allows';
}

function wrongWithTool(asked: Asked | undefined): string | undefined {
  if (asked?.method !== 'tools/call') return undefined;
  return /^read_/.test(String(asked.params?.name)) ? undefined : 'a tool that no rule allows';
}

interface Asked {
  readonly model?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly name?: unknown };
}

function parsed(body: Buffer): Asked | undefined {
  try {
    return JSON.parse(body.toString()) as Asked;
  } catch {
    return undefined;
  }
}
