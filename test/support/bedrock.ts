// A double of Bedrock's runtime on the wire: it checks each request's signature by computing it anew from what came, and
// answers with whatever bytes a test says. Frames are written by Smithy's codec, not by ours.

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { SignatureV4 } from '@smithy/signature-v4';

export const ACCESS_KEY = {
  accessKeyId: 'AKIADOUBLEREALKEY001',
  secretAccessKey: 'wJalrRealCanary/K7MDENG+bPxRfiCYrealkey01',
  sessionToken: 'FwoGZXIvRealCanarySessionToken==',
  region: 'eu-west-1',
};
export const API_KEY = 'ABSKrealCanaryApiKey0123456789=';

export interface BedrockRequest {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface BedrockAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent one after the other, each flushed. */
  readonly chunks: readonly (string | Buffer)[];
}

export interface BedrockDouble {
  readonly url: string;
  readonly requests: BedrockRequest[];
  answer: (request: BedrockRequest) => BedrockAnswer;
  close(): Promise<void>;
}

export async function startBedrock(): Promise<BedrockDouble> {
  const requests: BedrockRequest[] = [];
  const server = createServer((request, response) => {
    void receive(request).then(async (received) => {
      requests.push(received);
      const wrong = await whyNotSigned(request.method ?? '', received);
      deliver(response, wrong === null ? double.answer(received) : forbidden(wrong));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const double: BedrockDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: () => ({ status: 500, chunks: ['{"message":"the test said no answer"}'] }),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return double;
}

async function receive(request: IncomingMessage): Promise<BedrockRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
}

function deliver(response: ServerResponse, { status = 200, headers = {}, chunks }: BedrockAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  for (const chunk of chunks) response.write(chunk);
  response.end();
}

const forbidden = (why: string): BedrockAnswer => ({
  status: 403,
  headers: { 'x-amzn-errortype': 'InvalidSignatureException' },
  chunks: [JSON.stringify({ message: why })],
});

/** Null where the signature is the one that the real access key makes of exactly this request, or the API key was sent. */
async function whyNotSigned(method: string, { url, headers, body }: BedrockRequest): Promise<string | null> {
  const sent = headers.authorization ?? '';
  if (sent === `Bearer ${API_KEY}`) return null;
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([a-z0-9-]+)\/bedrock\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/.exec(
      sent,
    );
  if (!parts) return `no signature: ${sent}`;
  const [, id, region, list] = parts;
  if (id !== ACCESS_KEY.accessKeyId || region !== ACCESS_KEY.region) return `another key or region: ${sent}`;
  if (headers['x-amz-security-token'] !== ACCESS_KEY.sessionToken) return 'another session token';
  const signer = new SignatureV4({
    credentials: ACCESS_KEY,
    region,
    service: 'bedrock',
    sha256: Sha256,
    applyChecksum: false,
  });
  const names = new Set(list!.split(';'));
  if (!names.has('host')) return 'the host is not signed';
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: headers.host!,
      path: url.split('?')[0]!,
      query: {},
      headers: Object.fromEntries(
        Object.entries(headers).filter(([name]) => names.has(name)) as [string, string][],
      ),
      body,
    },
    { signingDate: dateOf(String(headers['x-amz-date'])) },
  );
  return signed.headers.authorization === sent
    ? null
    : `expected ${signed.headers.authorization}, got ${sent}`;
}

const dateOf = (stamp: string): Date =>
  new Date(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

class Sha256 {
  #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  constructor(secret?: unknown) {
    this.#hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', secret as string | NodeJS.ArrayBufferView);
  }
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error('a hash is used once');
  }
}

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
);

const text = (value: string) => ({ type: 'string' as const, value });

/** One frame of an answer, as AWS writes it. */
export const frame = (event: string, payload: unknown): Buffer =>
  Buffer.from(
    codec.encode({
      headers: {
        ':event-type': text(event),
        ':content-type': text('application/json'),
        ':message-type': text('event'),
      },
      body: Buffer.from(JSON.stringify(payload)),
    }),
  );

export const exceptionFrame = (type: string, message: string): Buffer =>
  Buffer.from(
    codec.encode({
      headers: {
        ':exception-type': text(type),
        ':content-type': text('application/json'),
        ':message-type': text('exception'),
      },
      body: Buffer.from(JSON.stringify({ message })),
    }),
  );

/** An invoke's chunk: the model maker's own event as base64. */
export const chunkFrame = (event: unknown): Buffer =>
  frame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcd' });

export const EVENT_STREAM = { 'content-type': 'application/vnd.amazon.eventstream' };
