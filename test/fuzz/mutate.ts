// Mutations of a valid request: bytes flipped, cut, doubled, and words put in that parsers read differently. Half of the
// bodies get a length that fits again, so that more than the framing is tried; one in eight requests has a valid one
// close behind it on its connection, which must never be read as part of it nor it as part of that.

import type { Random } from './random.ts';
import type { Valid } from './requests.ts';

const HEAD_WORDS = [
  '\r\n', '\n', '\r', ' ', '\t', '\0', ':', '//', '/../', '/./', '%2e%2e/', '%2F', '%5c', '%00', '%', '?', '#', ';', '@',
  '\\', 'HTTP/1.0', 'HTTP/1.1', 'GET ', 'POST ', 'CONNECT ', 'http://', 'https://', '127.0.0.1', '[::1]', '/evil',
  '\r\nContent-Length: 0', '\r\nContent-Length: 5', '\r\nTransfer-Encoding: chunked', '\r\nTransfer-Encoding: identity',
  '\r\nContent-Type: text/plain', '\r\nContent-Encoding: gzip', '\r\nHost: evil.example', '\r\nConnection: content-length',
  '\r\nExpect: 100-continue', '\r\nUpgrade: h2c', '\r\nX-HTTP-Method-Override: DELETE', '\r\nX-Original-URL: /evil',
  '\r\nX-Outrider-Agent: other', '\r\nProxy-Authorization: Bearer x', '\r\n X-Folded: 1', '\xa0', '\xff', '%3A', '-pro',
  ':streamGenerateContent', ':countTokens', '?alt=sse', '&$alt=json', '\r\nA2A-Version: 0.3', '\r\nUpgrade: websocket',
  '\r\nSec-WebSocket-Extensions: permessage-deflate', '\r\nSec-WebSocket-Version: 8', '\r\nSec-WebSocket-Protocol: a, b',
  '\r\nConnection: Upgrade', '/message:send', '/tasks/1:cancel', '/.well-known/agent-card.json',
] as const; // biome-ignore format: a list of words
const BODY_WORDS = [
  '"model":"gpt-5-pro",', '"Model":"gpt-5-pro",', '"mod\\u0065l":"gpt-5-pro",', '"max_tokens":null,', '"max_tokens":1e9,',
  '"n":1000,', '"stream":true,', '"tools":[{"type":"web_search"}],', '"background":true,', '"name":"delete_file",',
  '"Name":"delete_file",', '"method":"tools/call",', '"__proto__":{"model":"gpt-5-pro"},', '{', '}', '[', ']', '"', ',', ':',
  '\\', '\\ud800', '\0', '\xef\xbb\xbf', '\xe2\x80\x8d', '/*', 'NaN', '1e400', '-0', '0\r\n\r\n', '5\r\n', 'ffffffffffffffff\r\n',
  '0\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n', '\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n',
  '"generationConfig":null,', '"generation_config":{"maxOutputTokens":1e9},', '"maxOutputTokens":null,',
  '"tools":[{"googleSearch":{}}],', '"cachedContent":"cachedContents/x",', '"skillId":"publish",', '"skill":"publish",',
  '"metadata":{"skillId":"publish"},', '"Metadata":{"skillId":"publish"},', '"method":"SendMessage",',
  '"configuration":{"pushNotificationConfig":{"url":"https://evil.example/"}},', '\x81\x05hello', '\x80\xff', '\xc1\x80',
] as const; // biome-ignore format: a list of words

/** What goes over a connection: the bytes, and the tunnel that is opened before. */
export type Sent = Pick<Valid, 'through'> & { readonly bytes: Buffer };

/** The same numbers give the same bytes. */
export function mutated(valid: readonly Valid[], random: Random): Sent {
  const request = random.pick(valid);
  const { through } = request;
  const follows = random.below(8) === 0;
  const first = mutateParts(follows ? keptOpen(request) : request, random);
  const message = random.below(8) === 0 ? change(first, HEAD_WORDS, random) : first;
  const bytes = follows ? Buffer.concat([message, whole(request).bytes]) : message;
  return through ? { through, bytes } : { bytes };
}

/** As it stands, with nothing changed. */
export function whole({ head, body, framing, through }: Valid): Sent {
  const bytes = Buffer.from(body as string);
  const lines = framing !== 'none' ? [...head, `Content-Length: ${bytes.length}`] : head;
  const message = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
  return through ? { through, bytes: message } : { bytes: message };
}

const keptOpen = (request: Valid): Valid => ({
  ...request,
  head: request.head.filter((line) => line !== 'Connection: close'),
});

function mutateParts({ head, body, framing }: Valid, random: Random): Buffer {
  let headBytes: Buffer = Buffer.from(head.join('\r\n'), 'latin1');
  let bodyBytes: Buffer = Buffer.from(body as string);
  const { length } = bodyBytes;
  const fits = random.below(2) === 0;
  for (let left = random.below(4); left > 0; left--) {
    if (random.below(2) === 0) headBytes = change(headBytes, HEAD_WORDS, random);
    else bodyBytes = change(bodyBytes, BODY_WORDS, random);
  }
  const line = {
    none: '',
    chunked: '\r\nTransfer-Encoding: chunked',
    length: `\r\nContent-Length: ${fits ? bodyBytes.length : length}`,
  }[framing];
  const framed = framing === 'chunked' ? inChunks(bodyBytes, random) : bodyBytes;
  return Buffer.concat([headBytes, Buffer.from(`${line}\r\n\r\n`), framed]);
}

function change(bytes: Buffer, words: readonly string[], random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.below(16));
  const put = (what: Buffer, from = at, to = at): Buffer =>
    Buffer.concat([bytes.subarray(0, from), what, bytes.subarray(to)]);
  switch (random.below(6)) {
    case 0:
      return put(Buffer.from([random.below(256)]), at, Math.min(at + 1, bytes.length));
    case 1:
      return put(Buffer.alloc(0), at, end);
    case 2:
      return put(bytes.subarray(at, end));
    case 3:
      return bytes.subarray(0, at);
    default:
      return put(Buffer.from(random.pick(words), 'latin1'));
  }
}

function inChunks(body: Buffer, random: Random): Buffer {
  const at = random.below(body.length + 1);
  const parts = [body.subarray(0, at), body.subarray(at)].filter((part) => part.length > 0);
  const chunks = parts.flatMap((part) => [
    Buffer.from(`${part.length.toString(16)}\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
}
