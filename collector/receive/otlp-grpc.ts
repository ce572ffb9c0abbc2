// The OTLP/gRPC door: the socket. The library that speaks gRPC is loaded when somebody comes, for most collectors never
// hear gRPC and it takes memory; connections are opened and counted here, as at every other door, and handed to it.
// Source: opentelemetry-proto docs/specification.md, "OTLP/gRPC".

import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import { listenOn } from '../../kit/listen.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { GrpcCalls } from './grpc-calls.ts';
import type { Intake } from './intake.ts';
import type { Receiver } from './otlp-http.ts';

/** What OTLP recommends; a message is refused for being larger before it is read, and while it is unpacked. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const CONNECTIONS_MAX = 256;
/** How long calls under way may take before they are hung up on. */
const CLOSE_MS_MAX = 5_000;

export interface GrpcReceiverOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
  readonly messageBytesMax?: number;
}

/** Resolves once it listens. Throws PortUnavailable. */
export async function createGrpcReceiver(options: GrpcReceiverOptions): Promise<Receiver> {
  const { intake, clock, log, messageBytesMax = MESSAGE_BYTES_MAX } = options;
  let loading: Promise<GrpcCalls> | null = null;
  const load = async (): Promise<GrpcCalls> => {
    const { createGrpcCalls } = await import('./grpc-calls.ts');
    return createGrpcCalls({ intake, clock, messageBytesMax });
  };
  const sockets = new Set<Socket>();
  const serve = async (socket: Socket): Promise<void> => {
    try {
      loading ??= load();
      (await loading).serve(socket);
    } catch (failure) {
      loading = null;
      log.error('receive.grpc_failed', { reason: sentenceOf(failure) });
      socket.destroy();
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // nobody is left to hear of it
    void serve(socket);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const { url } = await listenOn(server, options.listen, 'listen.otlp_grpc');
  return {
    url,
    async close() {
      const closed = closeServer(server);
      (await loading)?.close();
      const cancel = clock.after(CLOSE_MS_MAX, () => {
        for (const socket of sockets) socket.destroy();
      });
      await closed;
      cancel();
    },
  };
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}
