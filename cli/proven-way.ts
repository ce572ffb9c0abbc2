// Before a command is started: does a request really come through us? Asked as the command's own libraries will ask, by
// nothing but the variables it gets: through the proxy they name, verified by the bundle they name, to a host that is the
// sidecar itself. No byte leaves for an upstream.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { sentenceOf } from '../kit/log.ts';
import { SELF_CHECK_HOST } from '../sidecar/accept/self-check.ts';

const WITHIN_MS = 10_000;

/** Throws an Error with one sentence where it does not. */
export async function proveWay(variables: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { HTTPS_PROXY: proxy = '', SSL_CERT_FILE: bundle = '' } = variables;
  const signal = AbortSignal.timeout(WITHIN_MS);
  try {
    const tunnel = await openTunnel(proxy, signal);
    const answer = await ask(tunnel, readFileSync(bundle, 'utf8'), signal);
    if (!answer.startsWith('HTTP/1.1 204 ')) throw new Error(`it answered "${answer.split('\r\n', 1)[0]}"`);
  } catch (failure) {
    throw new Error(
      `The command was not started: a request through HTTPS_PROXY=${proxy} that trusts ${bundle} does not come through the sidecar (${sentenceOf(failure)}).`,
    );
  }
}

function openTunnel(proxy: string, signal: AbortSignal): Promise<Socket> {
  const authority = `${SELF_CHECK_HOST}:443`;
  return new Promise((resolve, reject) => {
    const asked = request(proxy, {
      method: 'CONNECT',
      path: authority,
      headers: { host: authority },
      signal,
    });
    asked.once('connect', ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`CONNECT was answered ${statusCode}`));
    });
    asked.once('response', ({ statusCode }) => reject(new Error(`CONNECT was answered ${statusCode}`)));
    asked.once('error', reject);
    asked.end();
  });
}

/** The head of the answer. */
function ask(socket: Socket, ca: string, signal: AbortSignal): Promise<string> {
  const tls = connect({ socket, ca, servername: SELF_CHECK_HOST, rejectUnauthorized: true });
  return new Promise((resolve, reject) => {
    let answer = '';
    signal.addEventListener('abort', () => tls.destroy(signal.reason as Error), { once: true });
    tls.once('error', reject);
    tls.once('close', () => resolve(answer));
    tls.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
      tls.end();
    });
    tls.write(`GET / HTTP/1.1\r\nhost: ${SELF_CHECK_HOST}\r\nconnection: close\r\n\r\n`);
  });
}
