// Which refusals AWS's own SDK tries again, counted by what reaches a server that answers with them.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSAL_CODES, Refusal } from '../../../../contract/refusals.ts';
import { bedrock } from '../../../../sidecar/dialects/bedrock.ts';

const CASES = [
  ...REFUSAL_CODES.map((code) => new Refusal(code, `It is ${code}.`)),
  new Refusal('over_budget', 'Held by others.', { mayRetry: true, retryAfterSeconds: 0 }),
  new Refusal('upstream_unreachable', 'A secret came back.', { mayRetry: false }),
  new Refusal('audit_unavailable', 'It failed.', { mayRetry: false }),
].map(
  (refusal) =>
    [
      `${refusal.code}${refusal.detail.mayRetry === undefined ? '' : `, ${refusal.mayRetry}`}`,
      refusal,
    ] as const,
);

let server: Server;
let refusal: Refusal;
let asked = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    request.resume();
    const { status, contentType, body, headers } = bedrock.refuse(refusal, { callId: 'call-1' });
    response.writeHead(status, { ...headers, 'content-type': contentType, 'retry-after': '0' });
    response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => void server.close());

describe.each([
  ['whole', ConverseCommand],
  ['streamed', ConverseStreamCommand],
] as const)('%s', (_, Command) => {
  it.each(CASES)('%s', async (__, one) => {
    refusal = one;
    asked = 0;
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'AKIAPLACEHOLDER00001', secretAccessKey: 'placeholder' },
      requestHandler: new NodeHttpHandler(),
      maxAttempts: 2,
    });
    const failed = client.send(
      new Command({ modelId: 'amazon.nova-lite-v1:0', messages: [] }) as ConverseCommand,
    );
    await expect(failed).rejects.toMatchObject({
      name: expect.stringMatching(/^[A-Z][A-Za-z]+Exception$/),
      message: `${one.message} ${one.kind.advice}`,
    });
    client.destroy();
    expect(asked).toBe(one.mayRetry ? 2 : 1);
  });
});
