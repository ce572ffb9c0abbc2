// A name server for tests: says over UDP whatever the test wants said, and remembers what it was asked.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface NameServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Names asked for, with their type: `a.example A`. */
  readonly asked: readonly string[];
  close(): void;
}

/** Addresses of the asked type; `SERVFAIL`; or nothing said at all. */
export type Said = readonly string[] | 'SERVFAIL' | 'silence';
export type Answering = (name: string, type: 'A' | 'AAAA') => Said;

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };
const SERVFAIL = 2;

export async function startNameServer(answer: Answering): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${name} ${type}`);
    const said = type ? answer(name, type) : [];
    if (said !== 'silence') socket.send(answerTo(query.subarray(0, end), said), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, asked, close: () => void socket.close() };
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

/** RFC 1035 § 4: the question again, then an answer that points at its name, with a life of 0 s. */
function answerTo(question: Buffer, said: readonly string[] | 'SERVFAIL'): Buffer {
  const addresses = said === 'SERVFAIL' ? [] : said;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (said === 'SERVFAIL' ? SERVFAIL : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, question.subarray(12), ...addresses.map(record)]);
}

function record(address: string): Buffer {
  const bytes = address.includes(':')
    ? Buffer.from(
        address
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
        'hex',
      )
    : Buffer.from(address.split('.').map(Number));
  const head = Buffer.from('c00c0000000100000000', 'hex');
  head.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2);
  return Buffer.concat([head, Buffer.from([0, bytes.length]), bytes]);
}
