// Interception: the TLS an agent starts inside a CONNECT ends here, with a certificate of the local authority for
// exactly the host it connected to, and each request inside is judged as if it had been sent to us. What is not TLS is
// read as plain HTTP, but never on 443.
//
//   agent ── CONNECT host ──▶ 200 ── first byte ─┬─ 0x16: TLS, SNI = host, http/1.1 ─▶ requests to https://host
//                                                ├─ a letter, not on 443 ────────────▶ requests to http://host
//                                                └─ else: closed, `not_tls`

import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { Refusal } from '../../contract/refusals.ts';
import type { Accepted } from '../call.ts';
import { type Authority, isSame, type Scheme } from './authority.ts';
import { toUrl } from './forward.ts';
import { createMinting } from './minting.ts';
import { readPath, type Target } from './target.ts';

/** Where the requests that come over a connection go, because a CONNECT said so. */
export interface Inside {
  readonly scheme: Scheme;
  readonly authority: Authority;
  readonly proxyAuthorization: string | undefined;
}

export interface Interception {
  /** Throws Refusal `rate_limited`; after that it answers 200 and whatever fails only closes and is recorded. */
  begin(accepted: Accepted, socket: Socket, to: Authority): void;
}

export interface Intercepting {
  leafFor(host: string): Promise<SecureContext>;
  /** Hands over a connection whose requests come from inside; `socket` is the one that carries it. */
  enter(connection: Socket, inside: Inside, socket: Socket): void;
  /** For the record; the agent got `200` to its CONNECT. */
  failed(refusal: Refusal, accepted: Accepted): void;
  monotonicMs(): number;
}

const HANDSHAKE_MS = 5_000;
const TLS_HANDSHAKE = 0x16;
const OPEN = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/** Throws Refusal `bad_request`: 421 where a request is not for the host of its tunnel. */
export function readInside(url: string, host: string, { scheme, authority }: Inside): Target {
  if (!isSame(host, authority, scheme)) {
    const sentence = `This connection leads to ${authority.host}, and the request is for another host.`;
    throw new Refusal('bad_request', sentence, { reason: 'misdirected', status: 421 });
  }
  return { to: toUrl(scheme, authority), ...readPath(url) };
}

export function createInterception(use: Intercepting): Interception {
  const minting = createMinting(use.monotonicMs);

  const run = async (accepted: Accepted, socket: Socket, to: Authority): Promise<void> => {
    const first = await firstByte(socket);
    if (first === null) return void socket.destroy();
    const inside = { authority: to, proxyAuthorization: accepted.request.headers['proxy-authorization'] };
    if (first === TLS_HANDSHAKE) {
      const leaf = await use.leafFor(to.host);
      const tls = await handshake(socket, to, leaf, (refusal) => use.failed(refusal, accepted));
      use.enter(tls, { ...inside, scheme: 'https' }, socket);
    } else if (to.port !== 443 && isUpperCase(first))
      use.enter(socket, { ...inside, scheme: 'http' }, socket);
    else throw notTls(to);
  };

  return {
    begin(accepted, socket, to) {
      minting.begin((accepted as { agent?: { name: string } }).agent?.name ?? '', to.host);
      accepted.response.detachSocket(socket as never);
      socket.write(OPEN);
      run(accepted, socket, to)
        .catch((failure) => {
          socket.destroy();
          use.failed(asRefusal(failure), accepted);
        })
        .finally(() => minting.done());
    },
  };
}

const isUpperCase = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

/** Looked at and put back; null when the agent closed without a word. Rejects with Refusal when it says nothing. */
function firstByte(socket: Socket): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(late);
      socket.off('readable', look).off('close', gone).off('end', gone);
      settle();
    };
    const look = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      socket.unshift(bytes);
      end(() => resolve(bytes[0]!));
    };
    const gone = (): void => end(() => resolve(null));
    const late = setTimeout(() => end(() => reject(tooSlow())), HANDSHAKE_MS);
    socket.on('readable', look).once('close', gone).once('end', gone);
  });
}

class NamesDiffer extends Error {
  override name = 'NamesDiffer';
}

/** Total: what is thrown inside a callback of TLS ends the process. */
function whyNotFor(name: string, to: Authority): Error | null {
  try {
    return isSame(name, { ...to, port: 443 }, 'https') ? null : new NamesDiffer(name);
  } catch (failure) {
    return failure as Error;
  }
}

/** Rejects with the Error that ended it. `distrusted` is told when the agent says, afterwards, that it does not trust us. */
function handshake(
  socket: Socket,
  to: Authority,
  secureContext: SecureContext,
  distrusted: (refusal: Refusal) => void,
): Promise<TLSSocket> {
  const tls = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, done) => {
      const why = whyNotFor(name, to);
      if (why) done(why);
      else done(null, secureContext);
    },
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => fail(tooSlow()), HANDSHAKE_MS);
    const over = (): void => {
      clearTimeout(late);
      tls.off('error', fail).off('close', gone).off('end', gone).off('readable', look);
    };
    const fail = (failure: Error): void => {
      over();
      tls.on('error', () => tls.destroy());
      tls.destroy();
      reject(failure);
    };
    const gone = (): void => fail(new Error('the agent closed the connection'));
    const look = (): void => void tls.read(0); // an end is only noticed by who reads
    tls.once('error', fail).once('close', gone).once('end', gone).on('readable', look);
    tls.once('secure', () => {
      over();
      tls.once('error', (failure) => isDistrust(failure) && distrusted(asRefusal(failure)));
      resolve(tls);
    });
  });
}

/** TLS 1.3 lets a client say so after the handshake is over for the server. */
const isDistrust = (failure: Error): boolean =>
  'code' in failure && /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+)$/.test(String(failure.code));

function asRefusal(failure: Error): Refusal {
  if (failure instanceof Refusal) return failure;
  if (failure instanceof NamesDiffer)
    return bad('sni_mismatch', 'The TLS server name is not the host of the CONNECT.');
  if (isDistrust(failure))
    return bad('ca_not_trusted', "The agent does not trust the local authority: give it `outrider ca`'s.");
  const code = 'code' in failure ? String(failure.code) : failure.message;
  return bad('tls_handshake', `The TLS handshake failed (${code}).`);
}

const notTls = (to: Authority): Refusal =>
  bad('not_tls', `What came for ${to.host}:${to.port} is not TLS; another protocol needs a connect rule.`);
const tooSlow = (): Refusal => bad('handshake_timeout', `No TLS handshake within ${HANDSHAKE_MS / 1000} s.`);

function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
