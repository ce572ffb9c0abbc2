// Log records become rows with the exporter's columns; what only the collector may say counts from it alone.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import type { Store } from '../../../collector/store/store.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import { type OpenedStore, openAnyStore, RECEIVED_AT } from './open.ts';
import { requestBytes } from './otlp.ts';

let opened: OpenedStore<Store>;
let next = 0;
beforeAll(async () => {
  opened = await openAnyStore();
});
afterAll(() => opened.close());

const AT = RECEIVED_AT - 60_000_000_000n;
const DAY = 86_400_000_000_000n;
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

interface Given {
  readonly records: readonly unknown[];
  readonly scope?: unknown;
  readonly sender?: string;
  /** Loads the same segment twice: it must add nothing. */
  readonly again?: boolean;
}

async function load(given: Given): Promise<{ items: number }> {
  const { records, scope = { name: 'agent' }, sender = '', again = false } = given;
  next += 1;
  const resource = { attributes: [text('service.name', 'fleet'), text('outrider.agent', 'resource')] };
  const scopeLogs = [{ scope, logRecords: records, schemaUrl: 'https://scope.example' }];
  const request = { resourceLogs: [{ resource, scopeLogs, schemaUrl: 'https://resource.example' }] };
  const bytes = jsonToProtobuf('logs', Buffer.from(JSON.stringify(request)));
  const segment = opened.segment(`${String(next).padStart(12, '0')}-00c0ffee-logs`, [bytes], sender);
  const first = await opened.store.load(segment);
  if (again) expect(await opened.store.load(segment)).toEqual(first);
  return first;
}

async function stored(eventName: string): Promise<Record<string, unknown>[]> {
  return opened.store.query('SELECT * FROM otel_logs WHERE EventName = {name:String}', { name: eventName });
}

describe('a log record', () => {
  test('has every column of the OpenTelemetry exporter', async () => {
    const record = {
      timeUnixNano: String(AT),
      observedTimeUnixNano: String(AT + 5n),
      severityNumber: 9,
      severityText: 'Info',
      body: { stringValue: 'queue is long' },
      attributes: [text('k', 'v'), { key: 'n', value: { intValue: '7' } }],
      flags: 1,
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      eventName: 'every column',
    };
    const scope = {
      name: 'agent',
      version: '1.2',
      attributes: [text('of', 'scope'), text('outrider.x', 'y')],
    };
    expect(await load({ records: [record], scope, again: true })).toEqual({ items: 1 });
    const [row, ...more] = await stored('every column');
    expect(more).toEqual([]);
    const { Timestamp, ReceivedAt, SegmentId, ...rest } = row!;
    expect(String(Timestamp)).toBe(
      `${new Date(Number(AT / 1_000_000n)).toISOString().slice(0, -1).replace('T', ' ')}${String(AT % 1_000_000n).padStart(6, '0')}`,
    );
    expect(SegmentId).toMatch(/-logs$/);
    expect(ReceivedAt).toBeTruthy();
    expect(rest).toEqual({
      TraceId: '5b8efff798038103d269b633813fc60c',
      SpanId: 'eee19b7ec3c1b174',
      TraceFlags: 1,
      SeverityText: 'Info',
      SeverityNumber: 9,
      ServiceName: 'fleet',
      Body: 'queue is long',
      ResourceSchemaUrl: 'https://resource.example',
      ResourceAttributes: { 'service.name': 'fleet' },
      ScopeSchemaUrl: 'https://scope.example',
      ScopeName: 'agent',
      ScopeVersion: '1.2',
      ScopeAttributes: { of: 'scope' },
      LogAttributes: { k: 'v', n: '7' },
      EventName: 'every column',
      Sender: '',
    });
  });

  test.each([
    ['nothing', undefined, ''],
    ['a number', { intValue: '-3' }, '-3'],
    ['a list', { arrayValue: { values: [{ stringValue: 'a"b' }, { boolValue: true }] } }, '["a\\"b",true]'],
    ['a map', { kvlistValue: { values: [text('a', 'b')] } }, '{"a":"b"}'],
  ])('whose body is %s', async (what, body, expected) => {
    await load({ records: [{ timeUnixNano: String(AT), eventName: `body ${what}`, body }] });
    expect(await stored(`body ${what}`)).toMatchObject([{ Body: expected }]);
  });

  test.each([
    ['no time', '0', '0', RECEIVED_AT],
    ['only the time it was observed', '0', String(AT), AT],
    ['a time 91 days ago', String(RECEIVED_AT - 91n * DAY), '0', RECEIVED_AT],
  ])('with %s', async (what, timeUnixNano, observedTimeUnixNano, expected) => {
    await load({ records: [{ timeUnixNano, observedTimeUnixNano, eventName: what }] });
    const rows = await opened.store.query(
      'SELECT toUnixTimestamp64Nano(Timestamp) AS at FROM otel_logs WHERE EventName = {what:String}',
      { what },
    );
    expect(rows).toEqual([{ at: String(expected) }]);
  });

  test('of nobody loses what only a sidecar may say', async () => {
    const attributes = [text('outrider.agent', 'scout'), text('plain', 'kept')];
    await load({ records: [{ timeUnixNano: String(AT), eventName: 'stranger', attributes }] });
    const rows = await opened.store.query("SELECT LogAttributes FROM otel_logs WHERE EventName = 'stranger'");
    expect(rows).toEqual([{ LogAttributes: { plain: 'kept' } }]);
  });
});

describe('a control event', () => {
  const scope = { name: 'outrider.control' };
  const record = (id: number, event: string, details: unknown) => ({
    timeUnixNano: String(AT + BigInt(id) * 1_000_000n),
    eventName: event,
    body: { stringValue: event },
    attributes: [
      { key: 'outrider.control.id', value: { intValue: String(id) } },
      text('outrider.control.event', event),
      text('outrider.control.actor', 'anna@host'),
      text('outrider.control.agent', 'scout'),
      text('outrider.control.reason', 'because'),
      text('outrider.control.details', JSON.stringify(details)),
    ],
  });
  const events = (event: string) =>
    opened.store.query<Record<string, unknown>>(
      'SELECT id, event, actor, agent_id, reason, details FROM control_events WHERE event = {event:String} ORDER BY id',
      {
        event,
      },
    );

  test('counts from the collector, once, however often it is told', async () => {
    const records = [record(1, 'token_created', { name: 'ci' })];
    await load({ records, scope, sender: 'collector' });
    await load({ records, scope, sender: 'collector' });
    expect(await stored('token_created')).toHaveLength(2);
    expect(await events('token_created')).toEqual([
      {
        id: '1',
        event: 'token_created',
        actor: 'anna@host',
        agent_id: 'scout',
        reason: 'because',
        details: '{"name":"ci"}',
      },
    ]);
  });

  test.each(['', 'join', 'collector2'])('from %j is a log record and nothing more', async (sender) => {
    await load({ records: [record(2, `by ${sender}`, {})], scope, sender });
    expect(await stored(`by ${sender}`)).toHaveLength(1);
    expect(await events(`by ${sender}`)).toEqual([]);
  });

  test('tells policies apart by digest, and finds the text wherever it came', async () => {
    const loaded = (id: number, agent: string, more: object) =>
      record(id, 'policy_in_force', {
        digest: 'd1',
        instance: agent,
        loaded_at: Number(AT / 1_000_000n),
        fleet: 'content',
        ...more,
      });
    const records = [
      loaded(3, 'host-1', { sources: [{ file: 'a.yaml', text: 'fleet: content' }] }),
      loaded(4, 'host-2', {}),
    ];
    await load({ records, scope, sender: 'collector' });
    const rows = await opened.store.query(
      'SELECT * EXCEPT (in_force_from) FROM policies ORDER BY agent_instance',
    );
    const row = {
      digest: 'd1',
      agent_id: 'scout',
      actor: 'anna@host',
      text: 'fleet: content',
      fleet_id: 'content',
    };
    expect(rows).toEqual([
      { ...row, agent_instance: 'host-1' },
      { ...row, agent_instance: 'host-2' },
    ]);
    const told = (await events('policy_in_force')).map(({ details }) => JSON.parse(String(details)));
    const about = { digest: 'd1', loaded_at: Number(AT / 1_000_000n), fleet: 'content' };
    expect(told).toEqual([
      { ...about, instance: 'host-1' },
      { ...about, instance: 'host-2' },
    ]);
  });

  test('ends a task, and says how much came of it', async () => {
    const attributes = { [A.agent]: 'scout', [A.task]: 'task-9', [A.callId]: 'c', [A.status]: 'success' };
    const spans = [
      {
        traceId: Buffer.alloc(16, 1),
        spanId: Buffer.alloc(8, 1),
        name: 'chat',
        startUnixNano: AT,
        endUnixNano: AT,
        attributes,
      },
    ];
    const call = requestBytes({ scope: { name: SCOPE_NAME }, spans });
    await opened.store.load(opened.segment('000000000099-00c0ffee', [call], 'join'));
    const state = () =>
      opened.store.query(
        "SELECT state, ended_at IS NOT NULL AS ended, output_units FROM tasks WHERE agent_id = 'scout' AND task_id = 'task-9'",
      );
    expect(await state()).toEqual([{ state: 'open', ended: 0, output_units: null }]);
    const details = { task: 'task-9', state: 'failed', output_units: 3 };
    await load({ records: [record(5, 'task_ended', details)], scope, sender: 'collector' });
    expect(await state()).toEqual([{ state: 'failed', ended: 1, output_units: '3' }]);
  });
});
