// The forms a secret may have, and what is signed with it. The signature itself is held to AWS's description by the
// double of test/sdk/, against which the SDKs run.

import { describe, expect, it } from 'vitest';
import { bedrock } from '../../../../sidecar/dialects/bedrock.ts';
import { ACCESS_KEY, API_KEY, ifSigned } from '../../../sdk/bedrock-wire.ts';
import type { Received } from '../../../sdk/double.ts';

const { accessKeyId, secretAccessKey, sessionToken, region } = ACCESS_KEY;
const AS_PRINTED = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken };
const IN_REGION = 'https://bedrock-runtime.eu-west-1.amazonaws.com';

const request = (origin: string, path = '/model/amazon.nova-lite-v1%3A0/converse') => ({
  origin,
  path,
  method: 'POST',
  headers: ['content-type', 'application/json', 'traceparent', '00-1-2-01', 'host', new URL(origin).host],
  body: Buffer.from('{"messages":[]}'),
});

/** What the origin gets, in the double's words. */
async function verdict(secret: string, origin = IN_REGION, path?: string): Promise<number | undefined> {
  const unsigned = request(origin, path);
  const added = await bedrock.sign!(unsigned, secret, Date.UTC(2026, 10, 21));
  const flat = [...unsigned.headers, ...added];
  const headers = Object.fromEntries(
    flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : [])),
  );
  const { method, body } = unsigned;
  const received: Received = {
    method,
    url: unsigned.path,
    headers,
    rawHeaders: flat,
    body,
    encrypted: true,
  };
  return ifSigned(() => ({ status: 200 }))(received).status;
}

describe('a secret', () => {
  it.each([
    ['JSON', JSON.stringify(ACCESS_KEY)],
    ['JSON without a region', JSON.stringify({ accessKeyId, secretAccessKey, sessionToken })],
    ['as AWS exports it', JSON.stringify({ Version: 1, ...AS_PRINTED, Expiration: '2026-11-21T00:00:00Z' })],
    ['as a role is assumed', JSON.stringify({ Credentials: AS_PRINTED, AssumedRoleUser: {} })],
    ['in a row', `${accessKeyId}:${secretAccessKey}:${sessionToken}`],
    ['an API key', API_KEY],
  ])('%s', async (_, secret) => {
    expect(await verdict(secret)).toBe(200);
  });

  it.each([
    ['another secret key', JSON.stringify({ ...ACCESS_KEY, secretAccessKey: 'other' })],
    ['another region', JSON.stringify({ ...ACCESS_KEY, region: 'us-east-1' })],
    ['no token', JSON.stringify({ accessKeyId, secretAccessKey, region })],
  ])('with %s is no good', async (_, secret) => {
    expect(await verdict(secret)).toBe(403);
  });

  it.each([
    ['half a key', JSON.stringify({ accessKeyId })],
    ['broken JSON', '{"accessKeyId": "AKIA"'],
    ['a number for a key', JSON.stringify({ accessKeyId, secretAccessKey: 1 })],
  ])('that is %s is refused, and not told', async (_, secret) => {
    const failed = await bedrock.sign!(request(IN_REGION), secret, 0).then(
      String,
      (error: Error) => error.message,
    );
    expect(failed).toMatch(/^its JSON must hold accessKeyId and secretAccessKey/);
    expect(failed).not.toContain(accessKeyId);
  });

  it('needs a region from somewhere', async () => {
    const secret = JSON.stringify({ accessKeyId, secretAccessKey, sessionToken });
    await expect(bedrock.sign!(request('https://vpce.example'), secret, 0)).rejects.toThrow(
      /names no region/,
    );
    expect(await verdict(JSON.stringify(ACCESS_KEY), 'https://vpce.example')).toBe(200);
    for (const host of [
      'bedrock-runtime-fips.eu-west-1.amazonaws.com',
      'vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com',
      'bedrock-runtime.eu-west-1.api.aws',
    ])
      expect(await verdict(secret, `https://${host}`)).toBe(200);
  });

  it('signs the path of an ARN as it is sent', async () => {
    const path = '/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.x/converse';
    expect(await verdict(JSON.stringify(ACCESS_KEY), IN_REGION, path)).toBe(200);
  });

  it('is guarded by what is sent of it, else by its secret half', () => {
    const { sessionToken: _, ...lasting } = { ...ACCESS_KEY, sessionToken };
    expect(bedrock.guarded!(JSON.stringify({ ...lasting, sessionToken }))).toBe(sessionToken);
    expect(bedrock.guarded!(JSON.stringify(lasting))).toBe(secretAccessKey);
    expect(bedrock.guarded!(API_KEY)).toBe(API_KEY);
  });
});

it('signs nothing that others may change on the way', async () => {
  const headers = await bedrock.sign!(request(IN_REGION), JSON.stringify(ACCESS_KEY), 0);
  const authorization = headers[headers.indexOf('authorization') + 1];
  expect(authorization).toContain(
    'SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
  );
});
