// What a head must be at every door, beyond what Node's parser refuses by itself: one Host, one canonical length,
// `chunked` alone, one Content-Type, no method and no upgrade that would open something nobody judged.

import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../contract/refusals.ts';
import { printable } from './printable.ts';

const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])(?::(?:[1-9]\d{0,4}))?$/;
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
const PROTECTED = /authorization|x-api-key|x-outrider|\bhost\b|content-length|transfer-encoding/i;
const VERSIONS = new Set(['1.1', '1.0']);

/** The Host header; empty where an HTTP/1.0 CONNECT leaves it out. Throws Refusal `bad_request`. */
export function checkHead(request: IncomingMessage): string {
  const { rawHeaders, method, httpVersion } = request;
  let host: string | undefined;
  let typed = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    if (name === 'host') {
      if (host !== undefined) throw bad('host', 'There is more than one Host header.');
      if (!HOST.test(value)) throw bad('host', 'The Host header is not one host and port.');
      host = value;
    } else if (name === 'content-type') {
      if (typed) throw bad('content_type', 'There is more than one Content-Type header.');
      typed = true;
    } else checkField(name, value);
  }
  if (!VERSIONS.has(httpVersion)) throw bad('http_version', 'Only HTTP/1.1 and HTTP/1.0 are spoken here.');
  if (method === 'TRACE') throw bad('method', 'TRACE is never carried: it would send credentials back.');
  if (host === undefined && !(httpVersion === '1.0' && method === 'CONNECT'))
    throw bad('host', 'The Host header is missing.');
  if (httpVersion === '1.0' && request.headers['transfer-encoding'] !== undefined)
    throw bad('transfer_encoding', 'HTTP/1.0 knows no Transfer-Encoding.');
  return host ?? '';
}

function checkField(name: string, value: string): void {
  if (name === 'content-length') {
    if (!/^(?:0|[1-9]\d{0,15})$/.test(value))
      throw bad('content_length', 'Content-Length is not a canonical number.');
  } else if (name === 'transfer-encoding') {
    if (value.toLowerCase() !== 'chunked')
      throw bad('transfer_encoding', 'Transfer-Encoding must be chunked alone.');
  } else if (name === 'expect') {
    if (value.toLowerCase() !== '100-continue')
      throw new Refusal('bad_request', 'Only 100-continue can be expected.', {
        reason: 'expectation',
        status: 417,
      });
  } else if (name === 'upgrade') {
    if (!CARRIED_UPGRADES.has(value.toLowerCase()))
      throw bad('upgrade', `An upgrade to ${printable(value)} is not carried.`);
  } else if (name === 'connection') {
    if (PROTECTED.test(value)) throw bad('connection', 'Connection may not list a protected header.');
  } else if (name.includes('_') && name.replaceAll('_', '-') === 'content-length') {
    throw bad('content_length', 'Content_Length is not a header.');
  }
}

/** `h2c` is an offer that we leave unanswered, as RFC 9110 § 7.8 lets us; its headers go no further. */
const CARRIED_UPGRADES = new Set(['websocket', 'h2c']);

/**
 * A listener on loopback answers to loopback names alone, or a web page could reach it by a name that it points here
 * (DNS rebinding), and not to pages of other sites, which a browser lets send before it asks. A page in a sandbox has the
 * origin `null`, a picture's address none at all: then the browser says by itself that another site asks (W3C Fetch
 * Metadata § 2.4).
 */
export function checkLocal(
  host: string,
  { origin, 'sec-fetch-site': site }: IncomingMessage['headers'],
): void {
  if (!LOOPBACK_NAMES.has(nameOf(host)))
    throw bad('host', `This listener answers to localhost only, not to ${printable(host)}.`);
  if (!isForeign(origin, site)) return;
  const whose = origin === undefined || origin === 'null' ? 'another site' : printable(origin);
  throw new Refusal('bad_request', `A page of ${whose} may not call through this listener.`, {
    reason: 'origin',
    status: 403,
  });
}

function isForeign(origin: string | undefined, site: string | string[] | undefined): boolean {
  if (origin === undefined) return site === 'cross-site';
  if (origin === 'null') return true;
  return /^https?:/i.test(origin) && !LOOPBACK_NAMES.has(nameOf(origin.slice(origin.indexOf('//') + 2)));
}

const nameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
