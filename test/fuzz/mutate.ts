// Mutations of a valid request: bytes flipped, cut, doubled, and words put in that parsers read differently. Half of the
// bodies get a length that fits again, so that more than the framing is tried.

import type { Random } from './random.ts';
import type { Valid } from './requests.ts';

const HEAD_WORDS = [
  '\r\n', '\n', '\r', ' ', '\t', '\0', ':', '//', '/../', '/./', '%2e%2e/', '%2F', '%5c', '%00', '%', '?', '#', ';', '@',
  '\\', 'HTTP/1.0', 'HTTP/1.1', 'GET ', 'POST ', 'CONNECT ', 'http://', 'https://', '127.0.0.1', '[::1]', '/evil',
  '\r\nContent-Length: 0', '\r\nContent-Length: 5', '\r\nTransfer-Encoding: chunked', '\r\nTransfer-Encoding: identity',
  '\r\nContent-Type: text/plain', '\r\nContent-Encoding: gzip', '\r\nHost: evil.example', '\r\nConnection: content-length',
  '\r\nExpect: 100-continue', '\r\nUpgrade: h2c', '\r\nX-HTTP-Method-Override: DELETE', '\r\nX-Original-URL: /evil',
  '\r\nX-Outrider-Agent: other', '\r\nProxy-Authorization: Bearer x', '\r\n X-Folded: 1', '\xa0', '\xff',
] as const; // biome-ignore format: a list of words
const BODY_WORDS = [
  '"model":"gpt-5-pro",', '"Model":"gpt-5-pro",', '"mod\\u0065l":"gpt-5-pro",', '"max_tokens":null,', '"max_tokens":1e9,',
  '"n":1000,', '"stream":true,', '"tools":[{"type":"web_search"}],', '"background":true,', '"name":"delete_file",',
  '"Name":"delete_file",', '"method":"tools/call",', '"__proto__":{"model":"gpt-5-pro"},', '{', '}', '[', ']', '"', ',', ':',
  '\\', '\\ud800', '\0', '\ufeff', '\u200d', '/*', 'NaN', '1e400', '-0', '0\r\n\r\n', '5\r\n', 'ffffffffffffffff\r\n',
  '0\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n', '\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n',
] as const; // biome-ignore format: a list of words

/** The bytes to send. The same numbers give the same bytes. */
export function mutated(valid: readonly Valid[], random: Random): Buffer {
  const { head, body, chunked } = random.pick(valid);
  let headBytes: Buffer = Buffer.from(head.join('\r\n'), 'latin1');
  let bodyBytes: Buffer = Buffer.from(body);
  const fits = random.below(2) === 0;
  const length = bodyBytes.length;
  for (let left = random.below(4); left > 0; left--) {
    if (random.below(2) === 0) headBytes = change(headBytes, HEAD_WORDS, random);
    else bodyBytes = change(bodyBytes, BODY_WORDS, random);
  }
  const framing = chunked
    ? 'Transfer-Encoding: chunked'
    : `Content-Length: ${fits ? bodyBytes.length : length}`;
  const framed = chunked ? inChunks(bodyBytes, random) : bodyBytes;
  const message = Buffer.concat([headBytes, Buffer.from(`\r\n${framing}\r\n\r\n`), framed]);
  return random.below(8) === 0 ? change(message, HEAD_WORDS, random) : message;
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
      return put(Buffer.from(random.pick(words)));
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
