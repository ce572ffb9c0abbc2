// Bedrock on the wire, for its double: frames written by Smithy's codec, and signatures computed anew from what came, by
// AWS's description of them and none of the code under test or its library
// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

import { createHmac, hash } from 'node:crypto';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { Received, Reply } from './double.ts';

export const ACCESS_KEY = {
  accessKeyId: 'AKIADOUBLEREALKEY001',
  secretAccessKey: 'wJalrRealCanary/K7MDENG+bPxRfiCYrealkey01',
  sessionToken: 'FwoGZXIvRealCanarySessionToken==',
  region: 'eu-west-1',
};
export const API_KEY = 'ABSKrealCanaryApiKey0123456789=';

type Key = Pick<typeof ACCESS_KEY, 'accessKeyId' | 'secretAccessKey' | 'region'> & {
  readonly sessionToken?: string;
};

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([a-z0-9-]+)\/bedrock\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;

/** Answers as `how` says where the request is signed with the key, or carries the API key; else as AWS refuses it. */
export const ifSigned =
  (how: (request: Received) => Reply, key: Key = ACCESS_KEY): ((request: Received) => Reply) =>
  (request) => {
    const wrong = whyNotSigned(request, key);
    if (wrong === null) return how(request);
    return {
      status: 403,
      headers: { 'x-amzn-errortype': 'InvalidSignatureException' },
      body: { message: wrong },
    };
  };

function whyNotSigned({ method, url, headers, body }: Received, key: Key): string | null {
  const sent = headers.authorization ?? '';
  if (sent === `Bearer ${API_KEY}`) return null;
  const parts = AUTHORIZATION.exec(sent);
  if (!parts) return `no signature: ${sent}`;
  const [, id, day, region, list, signature] = parts as unknown as string[];
  if (id !== key.accessKeyId || region !== key.region) return `another key or region: ${sent}`;
  if (headers['x-amz-security-token'] !== key.sessionToken) return 'another session token';
  const names = list!.split(';');
  if (!names.includes('host') || !names.includes('x-amz-date')) return 'host and date are not signed';
  const [path, query = ''] = url.split('?');
  const canonical = [
    method,
    path!.split('/').map(encoded).join('/'),
    query,
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    list,
    hash('sha256', body, 'hex'),
  ].join('\n');
  const scope = `${day}/${region}/bedrock/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash('sha256', canonical, 'hex')].join(
    '\n',
  );
  const signing = scope
    .split('/')
    .reduce((by: string | Buffer, part) => hmac(by, part), `AWS4${key.secretAccessKey}`);
  return hmac(signing, text).toString('hex') === signature
    ? null
    : `the signature does not match: ${canonical}`;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Every byte but the unreserved ones, of a path that is encoded once already. */
const encoded = (segment: string): string =>
  encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

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

/** A stream of frames, each sent by itself. */
export const frames = (chunks: readonly Buffer[]): Reply => ({ headers: EVENT_STREAM, chunks });
