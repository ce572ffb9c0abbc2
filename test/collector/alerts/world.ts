// A fleet's recent past in a real store: calls, reported gauges and control events, each so many minutes ago, sealed in
// chains as sidecars seal them.

import { hash } from 'node:crypto';
import { controlEventRecord } from '../../../collector/control/control-event-record.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { ATTRIBUTES as A, SCOPE_NAME, TOOL_REQUEST_EVENT } from '../../../contract/attributes.ts';
import { CHAIN_START, canonicalJson } from '../../../contract/audit-entry.ts';
import { sealEvent } from '../../../contract/control-entry.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from '../store/open.ts';
import { type Attributes, requestBytes, type Span } from '../store/otlp.ts';

const MINUTE_NANO = 60_000_000_000n;
/** What rounds of the tests call now. */
export const NOW_MS = Number(RECEIVED_AT / 1_000_000n);

export interface Call {
  readonly agent: string;
  /** Minutes before now; may have a fraction. */
  readonly ago: number;
  readonly task?: string;
  readonly target?: string;
  /** Else `site`. */
  readonly upstream?: string;
  readonly status?: string;
  readonly refusal?: string;
  readonly reason?: string;
  readonly errorType?: string;
  readonly rule?: string;
  readonly mode?: string;
  readonly wouldVerdict?: string;
  readonly httpStatus?: number;
  readonly action?: string;
  readonly credential?: string;
  readonly owner?: string;
  readonly tokens?: number;
  /** What its model asked it to run: a tool, and the digest of the arguments. */
  readonly toolAsked?: { readonly name: string; readonly digest: string };
  readonly dollars?: number;
  /** Dollars. */
  readonly held?: number;
  /** Link of a chain; else none. */
  readonly sealed?: {
    readonly stream: string;
    readonly seq: number;
    readonly hash: string;
    readonly entry: string;
  };
}

export interface World extends OpenedStore {
  /** Received so many minutes before now. */
  calls(calls: readonly Call[], receivedAgo?: number): Promise<void>;
  /** The latest of these gauges is `values.at(-1)`, now; a minute between each. */
  gauge(name: string, agent: string, values: readonly number[]): Promise<void>;
  event(event: string, agent: string, ago: number, details?: object, reason?: string): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const opened = await openTestStore();
  let segments = 0;
  let numbers = 0;
  const load = async (kind: string, request: Buffer, sender: string, ago = 0): Promise<void> => {
    segments += 1;
    const id = `${String(segments).padStart(12, '0')}-00c0ffee${kind === 'traces' ? '' : `-${kind}`}`;
    const receivedAt = RECEIVED_AT - BigInt(Math.round(ago * 60_000)) * 1_000_000n;
    await opened.store.load(opened.segment(id, [request], sender, receivedAt));
  };
  return {
    ...opened,
    async calls(calls, receivedAgo = 0) {
      const spans = calls.map((call) => spanOf(call, ++numbers));
      await load('traces', requestBytes({ scope: { name: SCOPE_NAME }, spans }), 'sidecar', receivedAgo);
    },
    async gauge(name, agent, values) {
      const dataPoints = values.map((value, i) => ({
        timeUnixNano: String(RECEIVED_AT - BigInt(values.length - 1 - i) * MINUTE_NANO),
        asDouble: value,
      }));
      const resource = { attributes: [{ key: 'service.name', value: { stringValue: agent } }] };
      const scopeMetrics = [{ scope: { name: 'agent' }, metrics: [{ name, gauge: { dataPoints } }] }];
      const request = { resourceMetrics: [{ resource, scopeMetrics }] };
      await load('metrics', jsonToProtobuf('metrics', Buffer.from(JSON.stringify(request))), '');
    },
    async event(event, agent, ago, details = {}, reason = '') {
      const atMs = Math.round(NOW_MS - ago * 60_000);
      const said = { atMs, event, actor: 'anna', agent, reason, details: JSON.stringify(details) };
      const noted = { id: String(++numbers), ...said };
      const link = sealEvent(noted, { stream: 'control/world', seq: numbers, previous: CHAIN_START });
      await load('logs', controlEventRecord({ ...noted, link }), 'collector');
    },
  };
}

function spanOf(call: Call, number: number): Span {
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(number, 4);
  const startUnixNano = RECEIVED_AT - BigInt(Math.round(call.ago * 60_000)) * 1_000_000n;
  const { target = 'GET https://site.example/', status = call.refusal ? 'refused' : 'success' } = call;
  const optional: Record<string, string | number | undefined> = {
    [A.task]: call.task,
    [A.refusal]: call.refusal,
    [A.reason]: call.reason,
    [A.errorType]: call.errorType,
    [A.rule]: call.rule,
    [A.credential]: call.credential,
    [A.owner]: call.owner,
    [A.inputTokens]: call.tokens,
    [A.cost]: call.dollars === undefined ? undefined : Math.round(call.dollars * 1e9),
    [A.held]: call.held === undefined ? undefined : Math.round(call.held * 1e9),
    [A.auditStream]: call.sealed?.stream,
    [A.auditSeq]: call.sealed?.seq,
    [A.auditHash]: call.sealed?.hash,
    [A.auditEntry]: call.sealed?.entry,
  };
  const attributes: Record<string, string | number> = {
    [A.callId]: `call-${number}`,
    [A.agent]: call.agent,
    [A.target]: target,
    [A.upstream]: call.upstream ?? 'site',
    [A.mode]: call.mode ?? 'enforce',
    [A.action]: call.action ?? 'api_call',
    [A.wouldVerdict]: call.wouldVerdict ?? '',
    [A.status]: status,
    [A.httpStatus]: call.httpStatus ?? 200,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) attributes[name] = value;
  return {
    traceId: Buffer.alloc(16, 7),
    spanId,
    name: 'call',
    startUnixNano,
    endUnixNano: startUnixNano + 1_000_000n,
    attributes: attributes as Attributes,
    events: call.toolAsked ? [toolRequest(call.toolAsked, startUnixNano)] : [],
  };
}

const toolRequest = ({ name, digest }: NonNullable<Call['toolAsked']>, atUnixNano: bigint) => ({
  name: TOOL_REQUEST_EVENT,
  atUnixNano,
  attributes: { [A.toolName]: name, [A.toolArgumentsDigest]: digest },
});

/** `count` links from `first` on, the newest a minute ago; `change` may alter, drop or replace them. */
export function chain(
  stream: string,
  count: number,
  { first = 1, startAgo = 30 }: { first?: number; startAgo?: number } = {},
): Call[] {
  let previous = first === 1 ? CHAIN_START : 'f'.repeat(64);
  return Array.from({ length: count }, (_, i) => {
    const seq = first + i;
    const entry = canonicalJson({ agent: stream, previous, seq, stream });
    const sealed = { stream, seq, hash: hash('sha256', entry, 'hex'), entry };
    previous = sealed.hash;
    return { agent: stream, ago: startAgo - (i * (startAgo - 1)) / count, sealed };
  });
}
