// A segment becomes rows: each kind of value, what is dropped and clamped, what fills `actions`, and that twice is once.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SegmentRejected } from '../../../collector/store/failures.ts';
import type { Store } from '../../../collector/store/store.ts';
import {
  ATTRIBUTES as A,
  CHAINS_ATTRIBUTE,
  SCOPE_NAME,
  TOOL_REQUEST_EVENT,
} from '../../../contract/attributes.ts';
import { type OpenedStore, openAnyStore, RECEIVED_AT } from './open.ts';
import { type Attributes, requestBytes, type Span } from './otlp.ts';

let opened: OpenedStore<Store>;
let next = 0;

beforeAll(async () => {
  opened = await openAnyStore();
});
afterAll(() => opened.close());

const START = RECEIVED_AT - 60_000_000_000n;
const SIDECAR = { name: SCOPE_NAME, version: '0.1.0' };

function span(attributes: Attributes = {}, more: Partial<Span> = {}): Span {
  next += 1;
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(next, 4);
  const traceId = Buffer.concat([Buffer.from('00112233aabbccdd', 'hex'), spanId]);
  return {
    traceId,
    spanId,
    name: 'chat',
    startUnixNano: START,
    endUnixNano: START + 1_500_000n,
    attributes,
    ...more,
  };
}

/** Columns of a span that speaks of no model's call. */
const NO_MODEL = {
  ...{ SemConv: '', GenAiOperation: '', GenAiProvider: '', GenAiModel: '', GenAiResponseModel: '' },
  ...{ GenAiConversation: '', GenAiAgent: '', GenAiAgentId: '', GenAiWorkflow: '', GenAiTool: '' },
  ...{ InputTokens: null, OutputTokens: null, CachedTokens: null, CacheWriteTokens: null },
  ...{ ReasoningTokens: null, FinishReasons: [], McpMethod: '', McpSession: '' },
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

async function load(
  spans: readonly Span[],
  sender = '',
  scope = { name: 'agent', version: '1' },
): Promise<number> {
  const request = requestBytes({ resource: { 'service.name': 'fleet' }, scope, spans });
  next += 1;
  const segment = opened.segment(`segment-${next}`, [request], sender);
  return (await opened.store.load(segment)).items;
}

async function stored<T>(column: string, { spanId }: Span): Promise<T | undefined> {
  const [row] = await opened.store.query<{ value: T }>(
    `SELECT ${column} AS value FROM otel_traces WHERE SpanId = {id:String}`,
    { id: hex(spanId) },
  );
  return row?.value;
}

async function action(of: Span): Promise<Record<string, unknown> | undefined> {
  const [row] = await opened.store.query<Record<string, unknown>>(
    'SELECT * FROM actions WHERE span_id = {id:String}',
    { id: hex(of.spanId) },
  );
  return row;
}

describe('values', () => {
  test('every kind of attribute is kept as text, and zero is not taken for absence', async () => {
    const one = span({
      text: 'a "quote" \\ and ünïcode',
      empty: '',
      int: 42,
      zero: 0,
      negative: -7n,
      big: 9_007_199_254_740_993n,
      yes: true,
      no: false,
      half: { double: 0.5 },
      none: { double: 0 },
      list: ['a', 'b"c'],
      noList: [],
      bytes: Buffer.from([0, 255]),
    });
    expect(await load([one])).toBe(1);
    expect(await stored('SpanAttributes', one)).toEqual({
      text: 'a "quote" \\ and ünïcode',
      empty: '',
      int: '42',
      zero: '0',
      negative: '-7',
      big: '9007199254740993',
      yes: 'true',
      no: 'false',
      half: '0.5',
      none: '0',
      list: '["a","b\\"c"]',
      noList: '[]',
      bytes: 'AP8=',
    });
  });

  test('names, ids, kinds and durations are as the OpenTelemetry exporter writes them', async () => {
    const parentSpanId = Buffer.from('ffeeddccbbaa9988', 'hex');
    const one = span({}, { parentSpanId, kind: 3, status: { code: 2, message: 'broken' } });
    await load([one]);
    const [row] = await opened.store.query('SELECT * FROM otel_traces WHERE SpanId = {id:String}', {
      id: hex(one.spanId),
    });
    const at = (nanoseconds: bigint) =>
      new Date(Number(nanoseconds / 1_000_000n)).toISOString().replace('T', ' ').replace('Z', '000000');
    expect(row).toEqual({
      ...NO_MODEL,
      Timestamp: at(START),
      TraceId: hex(one.traceId),
      SpanId: hex(one.spanId),
      ParentSpanId: 'ffeeddccbbaa9988',
      TraceState: '',
      SpanName: 'chat',
      SpanKind: 'Client',
      StatusCode: 'Error',
      StatusMessage: 'broken',
      ServiceName: 'fleet',
      ResourceAttributes: { 'service.name': 'fleet' },
      ScopeName: 'agent',
      ScopeVersion: '1',
      SpanAttributes: {},
      Duration: '1500000',
      ...{ 'Events.Timestamp': [], 'Events.Name': [], 'Events.Attributes': [] },
      ...{ 'Links.TraceId': [], 'Links.SpanId': [], 'Links.TraceState': [], 'Links.Attributes': [] },
      ReceivedAt: at(RECEIVED_AT),
      Sender: '',
      SegmentId: `segment-${next}`,
    });
  });

  test('events and links stand beside each other in arrays', async () => {
    const other = span();
    const one = span(
      {},
      {
        events: [
          { name: 'first', atUnixNano: START, attributes: { n: 1 } },
          { name: 'second', atUnixNano: START + 1n },
        ],
        links: [other],
      },
    );
    await load([one]);
    expect(await stored('Events.Name', one)).toEqual(['first', 'second']);
    expect(await stored('Events.Attributes', one)).toEqual([{ n: '1' }, {}]);
    expect(await stored('Links.SpanId', one)).toEqual([hex(other.spanId)]);
  });
});

describe('what is left out or put right', () => {
  test.each([
    ['a trace id of 15 bytes', { traceId: Buffer.alloc(15, 1) }],
    ['a trace id of zeros', { traceId: Buffer.alloc(16) }],
    ['no trace id', { traceId: Buffer.alloc(0) }],
    ['a span id of 9 bytes', { spanId: Buffer.alloc(9, 1) }],
    ['a span id of zeros', { spanId: Buffer.alloc(8) }],
  ])('%s: the span alone', async (_what, bad) => {
    expect(await load([span(), span({}, bad), span()])).toBe(2);
  });

  const DAY = 86_400_000_000_000n;
  test.each([
    ['before 1970 was over', 1n, true],
    ['91 days ago', RECEIVED_AT - 91n * DAY, true],
    ['89 days ago', RECEIVED_AT - 89n * DAY, false],
    ['23 hours ahead', RECEIVED_AT + (23n * DAY) / 24n, false],
    ['two days ahead', RECEIVED_AT + 2n * DAY, true],
    ['a year ahead', RECEIVED_AT + 365n * DAY, true],
    ['in 2262', 9_214_646_400_000_000_000n, true],
    ['the last nanosecond there is', 2n ** 64n - 1n, true],
  ])('COL-29 a start %s', async (_what, startUnixNano, clamped) => {
    // An action outlives its span: spans older than their retention may be gone at once.
    const one = span({ [A.callId]: 'clock' }, { startUnixNano, endUnixNano: startUnixNano });
    expect(await load([one], 'scout/host', SIDECAR)).toBe(1);
    const expected = clamped ? RECEIVED_AT : startUnixNano;
    const iso = new Date(Number(expected / 1_000_000n)).toISOString();
    expect((await action(one))?.timestamp).toBe(iso.replace('T', ' ').replace('Z', ''));
  });

  test('an end before its start is no duration', async () => {
    const one = span({}, { endUnixNano: START - 1n });
    await load([one]);
    expect(await stored('Duration', one)).toBe('0');
  });

  test('spans of a hundred different days in one segment, and that segment again', async () => {
    const many = Array.from({ length: 120 }, (_, days) => {
      const startUnixNano = RECEIVED_AT - BigInt(days) * DAY;
      return span({ [A.callId]: 'days' }, { startUnixNano, endUnixNano: startUnixNano });
    });
    const segment = opened.segment('days', [requestBytes({ scope: SIDECAR, spans: many })], 'scout/host');
    for (let time = 0; time < 2; time += 1) {
      expect(await opened.store.load(segment)).toEqual({ items: 120 });
      const rows = await opened.store.query("SELECT count() AS n FROM actions WHERE call_id = 'days'");
      expect(rows).toEqual([{ n: '120' }]);
    }
  });

  test('what only a sidecar may say, from anyone else', async () => {
    const own = { [A.agent]: 'scout', [A.cost]: 5, plain: 'kept', 'outrider.anything': 'x' };
    const event = { name: TOOL_REQUEST_EVENT, atUnixNano: START, attributes: own };
    const stranger = span(own, { events: [event] });
    const sidecar = span(own, { events: [event] });
    await load([stranger], '', SIDECAR);
    await load([sidecar], 'scout/host', SIDECAR);
    expect(await stored('SpanAttributes', stranger)).toEqual({ plain: 'kept' });
    expect(await stored('Events.Attributes', stranger)).toEqual([{ plain: 'kept' }]);
    expect(await stored('SpanAttributes', sidecar)).toEqual({
      [A.agent]: 'scout',
      [A.cost]: '5',
      'outrider.anything': 'x',
      plain: 'kept',
    });
    expect(await action(stranger)).toBeUndefined();
    expect(await action(sidecar)).toBeDefined();
  });

  test('what a resource says of chains, which is in the log, is not kept beside each span', async () => {
    const one = span({});
    const resource = { 'service.name': 'scout', [CHAINS_ATTRIBUTE]: 'scout/host 0-3', 'outrider.audit': 'x' };
    const bytes = requestBytes({ resource, scope: SIDECAR, spans: [one] });
    await opened.store.load(opened.segment('chains', [bytes], 'scout/host'));
    expect(await stored('ResourceAttributes', one)).toEqual({
      'service.name': 'scout',
      'outrider.audit': 'x',
    });
  });

  test("an authenticated agent's own span is context, not an action", async () => {
    const one = span({ [A.agent]: 'scout' });
    await load([one], 'scout/host', { name: 'some-sdk', version: '1' });
    expect(await action(one)).toBeUndefined();
    expect(await stored('Sender', one)).toBe('scout/host');
  });
});

describe('actions', () => {
  const FACTS: Attributes = {
    [A.callId]: 'call-1',
    [A.fleet]: 'content',
    [A.department]: 'marketing',
    [A.agent]: 'scout',
    [A.instance]: 'host-1',
    [A.agentVersion]: '1.4.0',
    [A.owner]: 'leads',
    [A.task]: 'task-1',
    [A.callerAgent]: 'editor',
    [A.grantor]: 'anna',
    [A.parentTraceId]: 'ab'.repeat(16),
    [A.action]: 'llm_inference',
    [A.target]: 'openai/gpt-5-mini',
    [A.upstream]: 'openai',
    [A.model]: 'gpt-5-mini',
    [A.mode]: 'enforce',
    [A.verdict]: 'allow',
    [A.wouldVerdict]: 'deny',
    [A.rule]: 'llm openai/*',
    [A.refusal]: 'over_budget',
    [A.policyDigest]: 'd1',
    [A.credential]: 'openai',
    [A.ticket]: 't-1',
    [A.approvedBy]: 'ben',
    [A.status]: 'success',
    [A.httpStatus]: 200,
    [A.usageSource]: 'reported',
    [A.inputTokens]: 100,
    [A.outputTokens]: 0,
    [A.cachedTokens]: 40,
    [A.cost]: 123_456_789_000_000_001n,
    [A.auditStream]: 'scout/host-1',
    [A.auditSeq]: 7,
    [A.auditHash]: 'cd'.repeat(32),
    [A.auditEntry]: '{"errorType":"timeout","requestDigest":"ab12","seq":7,"wouldRefusal":"over_budget"}',
    [A.attempt]: 2,
    [A.retryOf]: 'call-0',
    [A.asked]: 'spare/gpt-5-mini',
  };

  test('hold every fact of the span, money exact to the nanodollar', async () => {
    const one = span(FACTS);
    await load([one], 'scout/host-1', SIDECAR);
    const { timestamp, ...row } = (await action(one)) ?? {};
    expect(String(timestamp)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    expect(row).toEqual({
      agent_id: 'scout',
      agent_instance: 'host-1',
      agent_version: '1.4.0',
      owner: 'leads',
      fleet_id: 'content',
      department: 'marketing',
      depth: 0,
      task_id: 'task-1',
      caller_agent: 'editor',
      grantor: 'anna',
      action_type: 'llm_inference',
      target: 'openai/gpt-5-mini',
      upstream: 'openai',
      model: 'gpt-5-mini',
      mode: 'enforce',
      verdict: 'allow',
      would_verdict: 'deny',
      rule: 'llm openai/*',
      refusal: 'over_budget',
      credential: 'openai',
      ticket: 't-1',
      approved_by: 'ben',
      status: 'success',
      http_status: 200,
      duration_ms: 1.5,
      tokens_in: '100',
      tokens_out: '0',
      tokens_cached: '40',
      cost_usd: '123456789.000000001',
      usage_source: 'reported',
      call_id: 'call-1',
      trace_id: hex(one.traceId),
      span_id: hex(one.spanId),
      parent_trace_id: 'ab'.repeat(16),
      policy_digest: 'd1',
      audit_stream: 'scout/host-1',
      audit_seq: '7',
      audit_hash: 'cd'.repeat(32),
      audit_entry: '{"errorType":"timeout","requestDigest":"ab12","seq":7,"wouldRefusal":"over_budget"}',
      attempt: 2,
      retry_of: 'call-0',
      asked: 'spare/gpt-5-mini',
      request_digest: 'ab12',
      would_refusal: 'over_budget',
      error_type: 'timeout',
    });
  });

  test('leave unknown what nobody counted', async () => {
    const one = span({ [A.callId]: 'call-2' });
    await load([one], 'scout/host-1', SIDECAR);
    const row = (await action(one))!;
    const told = Object.entries(row).filter(([, value]) => value !== '');
    expect(Object.fromEntries(told)).toEqual({
      timestamp: row.timestamp,
      call_id: 'call-2',
      trace_id: hex(one.traceId),
      span_id: hex(one.spanId),
      duration_ms: 1.5,
      tokens_in: null,
      tokens_out: null,
      tokens_cached: null,
      cost_usd: null,
      http_status: 0,
      audit_seq: '0',
      attempt: 1,
      depth: 0,
    });
  });

  test('sum to the nanodollar', async () => {
    const many = Array.from({ length: 1000 }, () => span({ [A.callId]: 'sum', [A.cost]: 100_000_001 }));
    await load(many, 'scout/host-1', SIDECAR);
    const [row] = await opened.store.query(
      "SELECT sum(cost_usd) AS total FROM actions WHERE call_id = 'sum'",
    );
    expect(row).toEqual({ total: '100.000001' });
  });

  test('stand beside what the model asked to run', async () => {
    const attributes = { [A.toolName]: 'shell', [A.toolCallId]: 'toolu_1', [A.toolArgumentsDigest]: 'ee' };
    const one = span(FACTS, {
      events: [
        { name: TOOL_REQUEST_EVENT, atUnixNano: START, attributes },
        { name: 'something else', atUnixNano: START },
      ],
    });
    await load([one], 'scout/host-1', SIDECAR);
    const rows = await opened.store.query(
      'SELECT * EXCEPT (timestamp) FROM tool_requests WHERE span_id = {id:String}',
      {
        id: hex(one.spanId),
      },
    );
    expect(rows).toEqual([
      {
        agent_id: 'scout',
        agent_instance: 'host-1',
        task_id: 'task-1',
        call_id: 'call-1',
        trace_id: hex(one.traceId),
        span_id: hex(one.spanId),
        upstream: 'openai',
        model: 'gpt-5-mini',
        tool_name: 'shell',
        tool_call_id: 'toolu_1',
        arguments_digest: 'ee',
      },
    ]);
  });
});

describe('a segment', () => {
  test('loaded again adds nothing to any table, and says what it holds', async () => {
    const event = { name: TOOL_REQUEST_EVENT, atUnixNano: START };
    const spans = Array.from({ length: 50 }, () => span({ [A.callId]: 'twice' }, { events: [event] }));
    const segment = opened.segment('twice', [requestBytes({ scope: SIDECAR, spans })], 'scout/host-1');
    // Its own rows alone: what other tests stored long in the past is expired meanwhile.
    const own = () =>
      opened.store.query(
        `SELECT (SELECT count() FROM otel_traces WHERE SegmentId = 'twice') AS traces,
                (SELECT count() FROM actions WHERE call_id = 'twice') AS actions,
                (SELECT count() FROM tool_requests WHERE call_id = 'twice') AS tools,
                (SELECT sum(Spans) FROM otel_segments WHERE SegmentId = 'twice') AS counted`,
      );
    expect(await opened.store.load(segment)).toEqual({ items: 50 });
    const before = await own();
    expect(before).toEqual([{ traces: '50', actions: '50', tools: '50', counted: '50' }]);
    expect(await opened.store.load(segment)).toEqual({ items: 50 });
    expect(await own()).toEqual(before);
  });

  test('of the same bytes under another id is another segment', async () => {
    const spans = [span({ [A.callId]: 'same bytes' })];
    const request = requestBytes({ scope: SIDECAR, spans });
    await opened.store.load(opened.segment('bytes-1', [request], 'scout/host-1'));
    await opened.store.load(opened.segment('bytes-2', [request], 'scout/host-1'));
    const [row] = await opened.store.query("SELECT count() AS n FROM actions WHERE call_id = 'same bytes'");
    expect(row).toEqual({ n: '2' });
  });

  test('of many small requests, and of requests without spans', async () => {
    const requests = Array.from({ length: 500 }, () => requestBytes({ spans: [span()] }));
    const empty = requestBytes({ spans: [] });
    const segment = opened.segment('small', [empty, ...requests, empty]);
    expect(await opened.store.load(segment)).toEqual({ items: 500 });
    expect(await opened.store.load(opened.segment('empty', [empty]))).toEqual({ items: 0 });
  });

  test('with an id that SQL could trip over', async () => {
    const segment = opened.segment('it-is', [requestBytes({ spans: [span()] })]);
    expect(await opened.store.load({ ...segment, id: "it's \\ a\nsegment" })).toEqual({ items: 1 });
  });

  test.each([
    ['bytes that are no protobuf', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length that runs past the end', Buffer.from([0xff, 0x01, 0x0a])],
    ['a group end that nothing began', Buffer.from([0x02, 0x0c, 0x00])],
  ])('of %s is rejected, and the store goes on', async (what, bytes) => {
    const path = join(opened.directory, 'broken.segment');
    writeFileSync(path, bytes);
    const broken = opened.store.load({ id: what, path, bytes: bytes.length });
    await expect(broken).rejects.toBeInstanceOf(SegmentRejected);
    expect(await load([span()])).toBe(1);
  });
});
