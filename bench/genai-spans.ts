// Spans of the shape and size that agents send (about 490 bytes: GenAI attributes), and sidecar records (about 1.4 KB), 512 a request.

import { ATTRIBUTES as A, SCOPE_NAME } from '../contract/attributes.ts';
import { type Request, requestBytes, type Span } from '../test/collector/store/otlp.ts';

const MODELS = ['gpt-5-mini', 'claude-haiku-4-5', 'gpt-5', 'gemini-3-flash'];
const RESOURCE = {
  'service.name': 'content-pipeline',
  'service.version': '1.4.0',
  'service.instance.id': 'host-17-4242',
  'host.name': 'host-17',
  'telemetry.sdk.language': 'python',
};

/** Deterministic bytes of an id: the same number gives the same id. */
function id(bytes: number, number: number, salt: number): Buffer {
  const buffer = Buffer.alloc(bytes, 0);
  for (let at = 0; at < bytes; at += 4)
    buffer.writeUInt32LE(Math.imul(number + 1, 2654435761 + at * 40503 + salt) >>> 0, at);
  buffer[0] = 1;
  return buffer;
}

function agentSpan(number: number, startUnixNano: bigint): Span {
  const model = MODELS[number % MODELS.length]!;
  return {
    traceId: id(16, number >> 3, 1),
    spanId: id(8, number, 2),
    parentSpanId: id(8, number >> 3, 3),
    name: `chat ${model}`,
    kind: 3,
    startUnixNano,
    endUnixNano: startUnixNano + BigInt(300_000_000 + (number % 997) * 1_000_000),
    attributes: {
      [A.operation]: 'chat',
      [A.provider]: 'openai',
      [A.requestModel]: model,
      [A.responseModel]: model,
      [A.responseId]: `resp_${number.toString(16).padStart(12, '0')}`,
      [A.finishReasons]: ['stop'],
      [A.requestMaxTokens]: 4096,
      [A.inputTokens]: 100 + (number % 5000),
      [A.outputTokens]: 50 + (number % 700),
      [A.serverAddress]: 'api.openai.com',
      [A.serverPort]: 443,
    },
    status: { code: number % 50 === 0 ? 2 : 1 },
  };
}

function recordSpan(number: number, startUnixNano: bigint): Span {
  const agent = `agent-${number % 20}`;
  return {
    ...agentSpan(number, startUnixNano),
    attributes: {
      ...agentSpan(number, startUnixNano).attributes,
      [A.callId]: `call-${number}`,
      [A.fleet]: 'content-pipeline',
      [A.department]: 'marketing',
      [A.agent]: agent,
      [A.instance]: 'host-17',
      [A.agentVersion]: '1.4.0',
      [A.owner]: 'content-leads',
      [A.task]: `task-${number >> 4}`,
      [A.action]: 'llm_inference',
      [A.target]: `openai/${MODELS[number % MODELS.length]}`,
      [A.upstream]: 'openai',
      [A.model]: MODELS[number % MODELS.length]!,
      [A.mode]: 'enforce',
      [A.verdict]: 'allow',
      [A.rule]: 'llm openai/gpt-5-mini',
      [A.policyDigest]: '9f86d081884c7d659a2feaa0c55ad015',
      [A.credential]: 'openai',
      [A.status]: 'success',
      [A.httpStatus]: 200,
      [A.usageSource]: 'reported',
      [A.cost]: 1_250_000 + number,
      [A.auditStream]: `${agent}/host-17`,
      [A.auditSeq]: number,
      [A.auditHash]: id(32, number, 9).toString('hex'),
    },
  };
}

export type Shape = 'agent' | 'record';

/** One request of `spans` spans, numbered from `first`, at `startUnixNano`. */
export function genaiRequest(shape: Shape, first: number, spans: number, startUnixNano: bigint): Buffer {
  const make = shape === 'agent' ? agentSpan : recordSpan;
  const request: Request = {
    resource: RESOURCE,
    scope: {
      name: shape === 'agent' ? 'opentelemetry.instrumentation.openai' : SCOPE_NAME,
      version: '1.0.0',
    },
    spans: Array.from({ length: spans }, (_, at) =>
      make(first + at, startUnixNano + BigInt(at) * 1_000_000n),
    ),
  };
  return requestBytes(request);
}
