// Signing a request with AWS Signature Version 4, by Smithy's own signer, over the bytes as they are sent. Signed are the
// host, the type and what is Amazon's: no other header means anything there, and whoever passes it on may change it.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { createHash, createHmac } from 'node:crypto';
import type { Unsigned } from '../dialect.ts';
import { type AccessKey, accessKeyOf } from './credential.ts';

/** `bedrock-runtime.eu-west-1.amazonaws.com`, also `-fips`, of other partitions, and inside a VPC. */
const REGION = /\bbedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\./;

/** Flat list of names and values. Rejects with an Error for a secret it cannot use, or where the region is unknown. */
export async function sign(request: Unsigned, secret: string, nowMs: number): Promise<string[]> {
  const key = accessKeyOf(secret);
  if (!key) return ['authorization', `Bearer ${secret}`];
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey,
      ...(key.sessionToken !== null && { sessionToken: key.sessionToken }),
    },
    region: regionOf(key, request),
    service: 'bedrock',
    sha256: Sha256,
  });
  const before = signedHeaders(request);
  const signed = await signer.sign(requestToSign(request, before), { signingDate: new Date(nowMs) });
  return Object.entries(signed.headers).flatMap(([name, value]) => (name in before ? [] : [name, value]));
}

function regionOf({ region }: AccessKey, { origin }: Unsigned): string {
  const found = region ?? REGION.exec(origin)?.[1];
  if (!found) throw new Error('the upstream\'s url names no region: add "region" to its JSON');
  return found;
}

function requestToSign({ method, origin, path, body }: Unsigned, headers: Record<string, string>) {
  const { protocol, hostname } = new URL(origin);
  const mark = path.indexOf('?');
  const query = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1)));
  return { method, protocol, hostname, path: mark < 0 ? path : path.slice(0, mark), query, headers, body };
}

function signedHeaders({ headers }: Unsigned): Record<string, string> {
  const signed: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name !== 'host' && name !== 'content-type' && !name.startsWith('x-amz')) continue;
    const before = signed[name];
    signed[name] = before === undefined ? headers[i + 1]! : `${before},${headers[i + 1]!}`;
  }
  return signed;
}

/** As the signer wants it: a hash, keyed where it is given a secret. */
class Sha256 {
  #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  readonly #secret: string | ArrayBuffer | ArrayBufferView | undefined;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.#hash = this.#begin();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin() {
    if (this.#secret === undefined) return createHash('sha256');
    const secret = this.#secret;
    return createHmac('sha256', typeof secret === 'string' ? secret : new Uint8Array(bytesOf(secret)));
  }
}

const bytesOf = (secret: ArrayBuffer | ArrayBufferView): Uint8Array =>
  secret instanceof ArrayBuffer
    ? new Uint8Array(secret)
    : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
