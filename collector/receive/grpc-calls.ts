// The three unary methods of OTLP/gRPC. Messages are not decoded: their bytes go the way of a protobuf body over HTTP. A
// call is admitted by its head, before any of its body is read: who sends, and whether a message may be read now.
// Source: opentelemetry-proto collector/*/v1/*_service.proto; googleapis google/rpc/status.proto (`grpc-status-details-bin`).

import type { Duplex } from 'node:stream';
import {
  type handleUnaryCall,
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type StatusObject,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '../../kit/clock.ts';
import { SIGNALS, type Signal } from '../signals.ts';
import { createBudget, type Hold } from './budget.ts';
import { RECEIPT_HEADER, receiptText, responseAsProtobuf, type Taken } from './export-response.ts';
import type { Intake } from './intake.ts';
import { statusAsProtobuf } from './rpc-status.ts';
import { type FailureStatus, isRetryable, RPC_CODES, Unacceptable } from './unacceptable.ts';

export interface GrpcCalls {
  /** Speaks gRPC on a connection that is open. */
  serve(connection: Duplex): void;
  /** Takes no new call; each connection ends when its last one is answered. */
  close(): void;
}

export interface GrpcRules {
  readonly intake: Intake;
  readonly clock: Clock;
  /** Of one message, as it comes and unpacked. */
  readonly messageBytesMax: number;
}

const METHODS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
};

/** Messages being read and unpacked at once; each may take three times the limit until it is whole. */
const READING_MAX = 4;
/**
 * How long a request that finds no room is kept waiting. JavaScript's gRPC exporter waits 10 s for an answer, and drops
 * what it hears UNAVAILABLE for: unlike those for HTTP it never tries again, so the door does.
 * Source: @opentelemetry/otlp-grpc-exporter-base 0.223, grpc-exporter-transport.
 */
const PATIENCE_MS = 8_000;
const PAUSE_MS = 250;
/** How long a message may take to come. */
const MESSAGE_MS_MAX = 10_000;
const STREAMS_MAX = 64;
const SESSION_MEMORY_MB = 4;
const IDLE_MS_MAX = 5 * 60_000;

const DETAILS = 'grpc-status-details-bin';
/** What the library refuses without us, as HTTP says it: too large, broken compression, another compression. */
const UNHEARD: Readonly<Partial<Record<status, FailureStatus>>> = {
  [status.RESOURCE_EXHAUSTED]: 413,
  [status.INTERNAL]: 400,
  [status.UNIMPLEMENTED]: 415,
};

/** What a call's head earned it. */
interface Admission {
  readonly sender: string;
  readonly reading: Hold;
  /** No longer waits for the message. */
  arrived(): void;
}

export function createGrpcCalls({ intake, clock, messageBytesMax }: GrpcRules): GrpcCalls {
  setLogVerbosity(logVerbosity.NONE); // it writes to stderr, where lines are JSON and ours
  let isClosing = false;
  const admissions = new WeakMap<Metadata, Admission>();
  const reading = createBudget({
    unitsMax: READING_MAX,
    waitMs: PATIENCE_MS,
    clock,
    refusal: () => new Unacceptable(503, 'too many requests at once: try again'),
  });

  const admit = async (metadata: Metadata, refuse: (failure: unknown) => void): Promise<Admission> => {
    intake.begun();
    const sender = intake.senderOf(metadata.get('authorization')[0]?.toString());
    const hold = await reading.acquire(1);
    const arrived = clock.after(MESSAGE_MS_MAX, () =>
      refuse(new Unacceptable(503, `the message was not complete within ${MESSAGE_MS_MAX / 1000} s`)),
    );
    return { sender, reading: hold, arrived };
  };

  /** The library refuses by itself what it cannot read; its statuses have no details, ours always. */
  const countUnheard = (call: ServerInterceptingCallInterface): void => {
    const send = call.sendStatus.bind(call);
    call.sendStatus = (ended) => {
      const refused = ended.metadata?.get(DETAILS).length ? undefined : UNHEARD[ended.code as status];
      if (refused !== undefined) intake.refusedUnheard(refused);
      send(ended);
    };
  };

  const admitted = (call: ServerInterceptingCallInterface): ServerInterceptingCall => {
    countUnheard(call);
    let admission: Admission | undefined;
    let hasEnded = false;
    const refuse = (failure: unknown): void => call.sendStatus(statusOf(intake.refusal(failure)));
    const end = (): void => {
      hasEnded = true;
      admission?.arrived();
      admission?.reading.release();
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) =>
            void admit(metadata, refuse).then((given) => {
              admission = given;
              admissions.set(metadata, given);
              if (hasEnded) end();
              else proceed(metadata);
            }, refuse),
          onCancel: end, // it comes for every call, however it ended
        }),
    });
  };

  const exporting =
    (signal: Signal): handleUnaryCall<Buffer, Buffer> =>
    (call, answer) => {
      const { request: body, metadata } = call;
      const { sender, reading: slot, arrived } = admissions.get(metadata)!;
      arrived();
      const taking = intake.memory.during(body.length, () => {
        slot.release();
        const isAwaited = () => !call.cancelled && !isClosing;
        return patiently(clock, isAwaited, () => intake.take({ signal, encoding: 'protobuf', sender, body }));
      });
      void taking.then(
        (taken) => answer(null, responseAsProtobuf(taken), trailersOf(taken)),
        (failure: unknown) => answer(statusOf(intake.refusal(failure))),
      );
    };

  const server = new Server({
    interceptors: [(_method, call) => admitted(call)],
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_concurrent_streams': STREAMS_MAX,
    'grpc.max_connection_idle_ms': IDLE_MS_MAX,
    'grpc-node.max_session_memory': SESSION_MEMORY_MB,
    'grpc.enable_channelz': 0,
  });
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const signal of SIGNALS) server.register(METHODS[signal], exporting(signal), asIs, asIs, 'unary');
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (connection) => injector.injectConnection(connection),
    close() {
      isClosing = true;
      server.tryShutdown(() => undefined); // it calls back before calls have ended
    },
  };
}

async function patiently<T>(clock: Clock, isAwaited: () => boolean, work: () => Promise<T>): Promise<T> {
  const until = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (failure) {
      const canHelp = failure instanceof Unacceptable && isRetryable(failure);
      if (!canHelp || !isAwaited() || clock.monotonicMs() >= until) throw failure;
      await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
    }
  }
}

type Refused = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

function statusOf(refusal: Unacceptable): Refused {
  const metadata = new Metadata();
  metadata.set(DETAILS, statusAsProtobuf(refusal));
  return { code: RPC_CODES[refusal.status], details: refusal.message.toWellFormed(), metadata };
}

function trailersOf({ receipt }: Taken): Metadata {
  const trailers = new Metadata();
  if (receipt) trailers.set(RECEIPT_HEADER, receiptText(receipt));
  return trailers;
}
