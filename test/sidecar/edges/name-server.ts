// A name server for tests: says whatever the test wants said, over UDP and what is long over TCP, and remembers what it
// was asked.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface NameServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Names asked for, with their type: `a.example A`. */
  readonly asked: readonly string[];
  close(): void;
}

/** Addresses of the asked type, and `CNAME other.name` for what the records after it are about; `SERVFAIL`; or nothing. */
export type Said = readonly string[] | 'SERVFAIL' | 'silence';
export type Answering = (name: string, type: 'A' | 'AAAA') => Said;

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };
const CNAME = 5;
const SERVFAIL = 2;
const TRUNCATED = 0x0200;
const UDP_BYTES_MAX = 1_232;

export async function startNameServer(answer: Answering): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const answered = (query: Buffer): Buffer | null => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${name} ${type}`);
    const said = type ? answer(name, type) : [];
    return said === 'silence' ? null : answerTo(query.subarray(0, end), said);
  };
  socket.on('message', (query, { port, address }) => {
    const bytes = answered(query);
    if (bytes) socket.send(bytes.length > UDP_BYTES_MAX ? cutShort(bytes) : bytes, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const streams = createServer((stream) => {
    stream.on('error', () => stream.destroy());
    stream.on('data', (bytes: Buffer) => {
      const said = answered(bytes.subarray(2));
      if (said) stream.end(Buffer.concat([Buffer.from([said.length >> 8, said.length & 0xff]), said]));
    });
  });
  streams.listen(port, '127.0.0.1');
  await once(streams, 'listening');
  return {
    address: `127.0.0.1:${port}`,
    asked,
    close() {
      socket.close();
      streams.close();
    },
  };
}

/** What does not fit is asked for again over TCP (RFC 1035 § 4.2.1). */
function cutShort(bytes: Buffer): Buffer {
  const head = Buffer.from(bytes.subarray(0, readQuestion(bytes).end));
  head.writeUInt16BE(head.readUInt16BE(2) | TRUNCATED, 2);
  head.writeUInt16BE(0, 6);
  return head;
}

function readQuestion(query: Buffer): { name: string; type: 'A' | 'AAAA' | undefined; end: number } {
  const labels: string[] = [];
  let at = 12;
  while (query[at]! > 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    at += 1 + query[at]!;
  }
  return { name: labels.join('.'), type: TYPES[query.readUInt16BE(at + 1)], end: at + 5 };
}

/** RFC 1035 § 4: the question again, then answers about its name, or the last CNAME's, with a life of 0 s. */
function answerTo(question: Buffer, said: readonly string[] | 'SERVFAIL'): Buffer {
  const records = said === 'SERVFAIL' ? [] : said;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (said === 'SERVFAIL' ? SERVFAIL : 0), 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  let about: Buffer = Buffer.from([0xc0, 12]);
  const answers = records.map((text) => {
    const other = /^CNAME (.+)$/.exec(text)?.[1];
    const bytes = record(about, text, other);
    if (other) about = nameBytes(other);
    return bytes;
  });
  return Buffer.concat([head, question.subarray(12), ...answers]);
}

function record(about: Buffer, text: string, other: string | undefined): Buffer {
  const bytes = other === undefined ? addressBytes(text) : nameBytes(other);
  const type = other === undefined ? (bytes.length === 4 ? 1 : 28) : CNAME;
  return Buffer.concat([about, Buffer.from([0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]), bytes]);
}

const nameBytes = (name: string): Buffer =>
  Buffer.from(
    [...name.split('.').map((label) => String.fromCharCode(label.length) + label), '\0'].join(''),
    'latin1',
  );

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const groups = address.split(':').map((group) => group.padStart(4, '0'));
  return Buffer.from(groups.join(''), 'hex');
}
