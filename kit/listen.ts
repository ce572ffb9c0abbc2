// Opening a port: `host:port` as the config has it, and one sentence naming the key to change when it cannot be had.

import { type AddressInfo, isIP, type Server } from 'node:net';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, with the port that was really opened. */
  readonly url: string;
}

/** A port that cannot be opened ends the start; the message says which key of outrider.yaml to change. */
export class PortUnavailable extends Error {
  override name = 'PortUnavailable';
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

/** `127.0.0.1:4320`, `[::1]:0` or `localhost:80` → host and port. Throws PortUnavailable when it is none of these. */
export function splitAddress(address: string, key: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new PortUnavailable(key, `\`${key}\` is \`${address}\`, which is not host:port.`);
  }
  return { host: match[1] ?? match[2]!, port };
}

/**
 * Connections that wait to be taken: a fleet that starts comes with hundreds at once, and where the queue is full a
 * person's command does not get in either. The kernel's own limit holds as well.
 */
const BACKLOG = 4_096;

/** Listens, and resolves with what was opened; port 0 picks a free one. `key` is the config's, e.g. `listen.otlp`. */
export function listenOn(server: Server, address: string, key: string): Promise<Listening> {
  const { host, port } = splitAddress(address, key);
  return new Promise((resolve, reject) => {
    const refused = (failure: NodeJS.ErrnoException) => {
      reject(new PortUnavailable(key, sentenceFor(failure, address, key)));
    };
    server.once('error', refused);
    server.listen({ host, port, exclusive: true, backlog: BACKLOG }, () => {
      server.off('error', refused);
      const opened = (server.address() as AddressInfo).port;
      resolve({ host, port: opened, url: `http://${host.includes(':') ? `[${host}]` : host}:${opened}` });
    });
  });
}

export function portTaken(address: string, key: string): PortUnavailable {
  return new PortUnavailable(key, `${address} is taken: set \`${key}\` to another port, or to port 0.`);
}

function sentenceFor(failure: NodeJS.ErrnoException, address: string, key: string): string {
  if (failure.code === 'EADDRINUSE') return portTaken(address, key).message;
  if (failure.code === 'EACCES') return `${address} may not be opened: set \`${key}\` to a port above 1023.`;
  return `${address} cannot be opened (${failure.code ?? failure.message}): change \`${key}\`.`;
}

/** Whether an address, as a socket reports it, is this machine's own loopback. */
export function isLoopback(address: string): boolean {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address;
  return v4 === '::1' || (isIP(v4) === 4 && v4.startsWith('127.'));
}
