import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Alerts, startAlerts } from '../../../collector/alerts/alerts.ts';
import { parseDefinitions } from '../../../collector/alerts/definition.ts';
import { PAGERDUTY_URL } from '../../../collector/alerts/pagerduty.ts';
import { createRecalls, type Recalls } from '../../../collector/api/events.ts';
import { type ListeningApi, listenApi } from '../../../collector/api/listen.ts';
import { createLive } from '../../../collector/api/live.ts';
import { OPENAPI } from '../../../collector/api/openapi/openapi.ts';
import { type Api, createApi } from '../../../collector/api/routes.ts';
import { createAlertBook } from '../../../collector/control/alert-book.ts';
import { createCheckpoints } from '../../../collector/control/checkpoints.ts';
import { openDeadLetters } from '../../../collector/control/dead-letters.ts';
import { type Holds, openHolds } from '../../../collector/control/holds.ts';
import { createKeptBodies } from '../../../collector/control/kept-bodies.ts';
import { createLedger } from '../../../collector/control/ledger.ts';
import { openModes } from '../../../collector/control/modes.ts';
import { createPolicies } from '../../../collector/control/policies.ts';
import { openQuarantines, type Quarantines } from '../../../collector/control/quarantines.ts';
import { openRaises, type Raises } from '../../../collector/control/raises.ts';
import { openRoster } from '../../../collector/control/roster.ts';
import { openSessions } from '../../../collector/control/sessions.ts';
import { openTools, type Tools } from '../../../collector/control/tools.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import { post } from '../../../collector/edges/post.ts';
import { startRebuilds } from '../../../collector/rebuild.ts';
import { startRetention } from '../../../collector/retention.ts';
import type { LeaseResponse } from '../../../contract/budget.ts';
import { silentLog } from '../../../kit/log.ts';
import { createSecrets } from '../../../kit/secrets.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { openLogAndFiles } from '../audit/kept-log.ts';
import { configOf, dollars, openBench, usd } from '../control/bench.ts';
import { forgetfulDisk } from '../queue/forgetful-disk.ts';
import { type OpenedStore, openTestStore } from '../store/open.ts';

const TOKEN = 'ort_test';
const ZERO = { nanodollars: '0', tokens: '0' };
const ASK = {
  scope: 'agent',
  lease: null,
  seq: 1,
  granted: ZERO,
  posted: ZERO,
  held: ZERO,
  want: ZERO,
  need: ZERO,
};

interface Case {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly bodyBytes?: number;
  readonly ask?: object;
  readonly status: number;
  readonly code?: string;
}
const cases = readFileSync(join(import.meta.dirname, '../../cases/control-api.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

let bench: Awaited<ReturnType<typeof openBench>>;
let opened: OpenedStore;
let api: Api;
let recalls: Recalls;
let holds: Holds;
let raises: Raises;
let listening: ListeningApi;
let alerts: Alerts;
let missing: string[] = [];
const clock = manualClock();

beforeAll(async () => {
  [bench, opened] = await Promise.all([openBench(), openTestStore()]);
  const { database } = bench;
  const { store } = opened;
  const config = await configOf('budgets: [$10/day]\nagents: { a: { role: any }, b: { role: any } }');
  const roster = await openRoster(database, clock);
  const policies = createPolicies(database, clock);
  recalls = createRecalls();
  const modes = await openModes({
    database,
    config: () => config,
    clock,
    log: silentLog,
    changed: () => recalls.tellAll((agent) => ({ agent, in_force: modes.inForce(agent) })),
  });
  const tools: Tools = await openTools({
    database,
    clock,
    log: silentLog,
    changed: () => recalls.tellTools({ revision: tools.revision() }),
  });
  const quarantines: Quarantines = await openQuarantines({
    database,
    clock,
    log: silentLog,
    changed: () => recalls.tellQuarantine({ revision: quarantines.revision() }),
  });
  alerts = startAlerts({
    definitions: parseDefinitions(readAlertFiles()),
    config: () => config,
    scene: { fleet: 'test', consoleUrl: 'http://127.0.0.1:4319' },
    pace: 1,
    book: createAlertBook(database),
    ask: async () => [],
    figures: {
      budgets: async () => [],
      shared_budgets: async () => [],
      own_budgets: async () => [],
      parts_away: async () => [],
      own_queue: async () => [],
      dead_letters: async () => [],
    },
    secrets: createSecrets(clock, {}),
    post,
    pagerdutyUrl: PAGERDUTY_URL,
    random: () => 0,
    clock,
    log: silentLog,
  });
  raises = await openRaises({
    database,
    config: () => config,
    clock,
    log: silentLog,
    onRecall: recalls.publish,
  });
  holds = openHolds({ database, config: () => config, clock, log: silentLog, onRecall: recalls.publish });
  api = createApi({
    learning: { database, config: () => config, clock, log: silentLog },
    holds,
    raises,
    database,
    modes,
    tools,
    quarantines,
    alerts,
    letters: await openDeadLetters({
      database,
      retention: config.retention,
      queued: (agent) => recalls.tellReplay({ agent }),
      clock,
      log: silentLog,
    }),
    bodies: createKeptBodies(database, clock),
    config: () => config,
    store,
    sessions: await openSessions(database, clock),
    live: createLive({ store, clock, log: silentLog }),
    keepPolicy: (report) => policies.note(report, 'test'),
    otlpPort: 4318,
    chains: { isForked: (stream) => stream === 'scout/cloned/1' },
    ledger: createLedger({ database, config: () => config, clock, roster, onRecall: recalls.publish }),
    roster,
    recalls,
    retention: startRetention({ store, database, retention: config.retention, clock, log: silentLog }),
    rebuilds: startRebuilds({
      store,
      database,
      pipeline: { quiet: (_patienceMs, act) => act(() => undefined) },
      clock,
      log: silentLog,
    }),
    audit: {
      ...(await openLogAndFiles({ disk: forgetfulDisk(() => clock.nowMs()).live(() => null).disk, clock })),
      checkpoints: createCheckpoints(database, 86_400_000),
      ask: (sql, parameters) => store.query(sql, parameters),
      drain: () => Promise.resolve(),
    },
    backups: { start: () => null, state: () => null, ended: () => Promise.resolve() },
    authenticate: (token) => (token === TOKEN ? 'join' : null),
    missing: () => missing,
    metrics: {
      figures: async () => ({
        plain: {
          outrider_queue_segments: 2,
          outrider_queue_bytes: 7,
          outrider_queue_refusing: 0,
          outrider_queue_segments_lost_total: 0,
          outrider_queue_oldest_seconds: 0,
          outrider_dropped_attributes_total: 0,
          outrider_quarantined_total: 0,
          outrider_control_statements_pending: 0,
          outrider_event_streams: 0,
          outrider_store_memory_bytes: 0,
          outrider_alert_evaluation_failures_total: 0,
          outrider_export_waiting_bytes: 0,
          outrider_export_given_up_total: 0,
        },
        bySignal: {
          outrider_received_requests_total: { traces: 0, logs: 3, metrics: 0 },
          outrider_received_items_total: { traces: 0, logs: 5, metrics: 0 },
          outrider_stored_items_total: { traces: 0, logs: 7, metrics: 0 },
        },
        refusedRequests: { 418: 1 },
      }),
      fleet: () => [],
      alertValues: () => [
        { alert: 'token-burn', severity: 'warning', agent: 'a', task: '', key: 'a', value: 2.5 },
      ],
    },
    hosts: ['collector.example'],
    beyondLoopback: false,
    clock,
    log: silentLog,
  });
  listening = await listenApi(api, '127.0.0.1:0', [recalls]);
});
afterAll(async () => {
  await listening.close();
  holds.close();
  raises.close();
  await alerts.close();
  await bench.close();
  await opened.close();
});

/** By node:http, which sends whatever Host it is told to; a connection each, for a refused body costs its connection. */
function send({ method, path, token = TOKEN, headers = {}, body }: Omit<Case, 'id' | 'status'>) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    const request = httpRequest(new URL(path, listening.url), {
      method,
      headers: { ...authorization, ...headers },
      agent: false,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    request.end(body);
  });
}

const ask = (agent: string, more: object) =>
  send({
    method: 'POST',
    path: '/v1/leases',
    body: JSON.stringify({ agent, instance: '1', asks: [{ ...ASK, ...more }] }),
  });

test.each(cases)('$id', async ({ ask: more, bodyBytes, ...each }) => {
  const asked = more && JSON.stringify({ agent: 'a', instance: '1', asks: [{ ...ASK, ...more }] });
  const padded = bodyBytes === undefined ? undefined : `"${'x'.repeat(bodyBytes - 2)}"`;
  const body = asked ?? padded ?? each.body;
  const answer = await send({ ...each, ...(body === undefined ? {} : { body }) });
  expect(answer.status, answer.text).toBe(each.status);
  if (each.code === undefined) return;
  const { error } = JSON.parse(answer.text) as { error: { code: string; message: string } };
  expect(error.code).toBe(each.code);
  expect(error.message).toMatch(/^.+\.$/);
});

describe('what it answers', () => {
  test('a lease, and the budget that it weighs on', async () => {
    await bench.fresh();
    const { status, text } = await ask('a', { want: usd(1), need: usd(1) });
    expect(status).toBe(200);
    const { answers } = JSON.parse(text) as LeaseResponse;
    expect(answers[0]).toMatchObject({ outcome: 'granted', granted: { tokens: null } });
    const budgets = await send({ method: 'GET', path: '/v1/budgets' });
    expect(JSON.parse(budgets.text)).toEqual([
      {
        level: 'fleet',
        name: 'test',
        window: 'day',
        unit: 'nanodollars',
        limit: dollars(10),
        posted: '0',
        held: answers[0]!.granted.nanodollars,
        starts_at: '2026-01-05T00:00:00.000Z',
        resets_at: '2026-01-06T00:00:00.000Z',
        raised: '0',
        projected: null,
        projected_by_last_hour: null,
        used_up_at: null,
      },
    ]);
  });

  test('a heartbeat names its stream: why it began is noted once, a forked one is to be left', async () => {
    const said = { name: 'scout', instance: 'h9', mode: 'enforce', health: 'ok', policy: 'p' };
    const began = { after: 'scout/h9/1', seq: 7, damagedBytes: 90 };
    const beat = async (more: object) => {
      const body = JSON.stringify({ ...said, ...more });
      return JSON.parse((await send({ method: 'POST', path: '/v1/agents', body })).text) as object;
    };
    expect(await beat({})).toMatchObject({ leave_stream: false });
    expect(await beat({ stream: 'scout/h9/2', began })).toMatchObject({ leave_stream: false });
    expect(await beat({ stream: 'scout/h9/2', began })).toMatchObject({ leave_stream: false });
    expect(await beat({ stream: 'scout/cloned/1' })).toMatchObject({ leave_stream: true });
    const noted = await bench.database.query<{ agent: string; details: object }>(
      "select agent, details from control_events where event = 'records_damaged'",
    );
    expect(noted).toEqual([{ agent: 'scout', details: { ...began, instance: 'h9', stream: 'scout/h9/2' } }]);
  });

  test('a heartbeat, and the instance away once it falls silent', async () => {
    const beat = { name: 'b', instance: 'host-7', mode: 'enforce', health: 'degraded', policy: 'p' };
    expect((await send({ method: 'POST', path: '/v1/agents', body: JSON.stringify(beat) })).status).toBe(200);
    const lines = async () => {
      const { text } = await send({ method: 'GET', path: '/v1/agents' });
      return (JSON.parse(text) as { instance: string; health: string }[]).find(
        ({ instance }) => instance === 'host-7',
      );
    };
    expect(await lines()).toMatchObject({ name: 'b', mode: 'enforce', health: 'degraded' });
    clock.advance(30_000);
    expect(await lines()).toMatchObject({ health: 'away' });
  });

  test('a recall reaches the stream of the instance it names, and no other', async () => {
    await bench.fresh();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const listen = async (agent: string) => {
      const response = await fetch(new URL(`/v1/events?agent=${agent}&instance=1`, listening.url), {
        headers,
      });
      const reader = response.body!.getReader();
      await reader.read();
      return { reader, read: async () => new TextDecoder().decode((await reader.read()).value) };
    };
    const [ofA, ofB] = [await listen('a'), await listen('b')];
    const { text } = await ask('a', { want: usd(6), need: usd(6) });
    const { lease } = (JSON.parse(text) as LeaseResponse).answers[0]!;
    await ask('b', { want: usd(6), need: usd(6) });
    expect(await ofA.read()).toBe(
      `event: recall\ndata: ${JSON.stringify({ agent: 'a', lease, instance: '1' })}\n\n`,
    );
    recalls.publish({ agent: 'b', instance: '1', lease: 'only this' });
    expect(await ofB.read()).toContain('only this');
    await ofA.reader.cancel();
    await ofB.reader.cancel();
  });

  test('an expired slice is written off', async () => {
    await bench.fresh();
    await ask('a', { want: usd(6), need: usd(6) });
    clock.advance(3_600_000);
    const { text } = await send({
      method: 'POST',
      path: '/v1/budgets/write-off',
      body: JSON.stringify({ reason: 'its machine is gone' }),
    });
    expect(JSON.parse(text)).toMatchObject({ written_off: [{ agent: 'a', amount: dollars(6) }] });
  });

  test('health, readiness and metrics need no token', async () => {
    expect((await send({ method: 'GET', path: '/healthz', token: null })).status).toBe(200);
    expect(
      (
        await send({
          method: 'GET',
          path: '/healthz',
          token: null,
          headers: { host: 'collector.example:4319' },
        })
      ).status,
    ).toBe(200);
    missing = ['store'];
    expect(await send({ method: 'GET', path: '/readyz', token: null })).toEqual({
      status: 503,
      text: '{"ready":false,"missing":["store"]}',
    });
    missing = [];
    expect((await send({ method: 'GET', path: '/readyz', token: null })).status).toBe(200);
    const { text } = await send({ method: 'GET', path: '/metrics', token: null });
    expect(text).toContain('outrider_queue_segments 2\n');
    expect(text).toContain('outrider_received_requests_total{signal="logs"} 3\n');
    expect(text).toContain('outrider_stored_items_total{signal="logs"} 7\n');
    expect(text).toContain('outrider_alert_evaluation_failures_total 0\n');
    expect(text).toContain('outrider_refused_requests_total{status="418"} 1\n');
    expect(text).toContain('outrider_refused_requests_total{status="429"} 0\n');
    expect(text).toMatch(/^outrider_alert_value\{alert="token-burn".*\} 2\.5$/m);
  });

  test('OpenAPI names exactly the routes that exist', () => {
    const written = Object.entries(OPENAPI.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const real = api.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(written.sort()).toEqual(real.sort());
  });
});
