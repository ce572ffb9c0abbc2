import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Alerts, startAlerts } from '../../../collector/alerts/alerts.ts';
import { parseDefinitions } from '../../../collector/alerts/definition.ts';
import { PAGERDUTY_URL } from '../../../collector/alerts/pagerduty.ts';
import { ACCESS, kindsFor } from '../../../collector/api/access.ts';
import { createRecalls, type Recalls } from '../../../collector/api/events.ts';
import { type ListeningApi, listenApi } from '../../../collector/api/listen.ts';
import { createLive, type Live } from '../../../collector/api/live.ts';
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
import { type Bearer, openTokens } from '../../../collector/control/tokens.ts';
import { openTools, type Tools } from '../../../collector/control/tools.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import { post } from '../../../collector/edges/post.ts';
import type { SetAsideMessage } from '../../../collector/queue/again.ts';
import { startRebuilds } from '../../../collector/rebuild.ts';
import { startRetention } from '../../../collector/retention.ts';
import type { LeaseResponse } from '../../../contract/budget.ts';
import { TOKEN_KINDS, type TokenKind } from '../../../contract/token.ts';
import { silentLog } from '../../../kit/log.ts';
import { createSecrets } from '../../../kit/secrets.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { openLogAndFiles } from '../audit/kept-log.ts';
import { configOf, dollars, openBench, usd } from '../control/bench.ts';
import { forgetfulDisk } from '../queue/forgetful-disk.ts';
import { type OpenedStore, openTestStore } from '../store/open.ts';

const TOKEN = 'ort_test';
const bearers = new Map<string, Bearer>(TOKEN_KINDS.map((kind) => [kind, { name: kind, kind, claims: {} }]))
  .set(TOKEN, { name: 'join', kind: 'operator', claims: {} })
  .set('of-a', { name: 'edge', kind: 'sidecar', claims: { agent: ['a'] } });
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
/** Lie beside the queue. */
const aside: SetAsideMessage[] = (['1-ab', 'full', '1-ab-8192'] as const).map((name) => ({
  name,
  kind: name === '1-ab-8192' ? 'damage' : 'message',
  bytes: 40,
  setAsideAtMs: 1_760_000_000_000,
  reason: 'cannot parse',
  partly: false,
  signal: 'traces',
  received: name === '1-ab-8192' ? null : { atUnixNano: 1_760_000_000_000_000_000n, sender: 'scout/h1' },
  comesAs: null,
}));

const cases = readFileSync(join(import.meta.dirname, '../../cases/control-api.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

let bench: Awaited<ReturnType<typeof openBench>>;
let opened: OpenedStore;
let api: Api;
let recalls: Recalls;
let live: Live;
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
  live = createLive({ store, clock, log: silentLog });
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
      own_refusals: async () => [],
      set_aside: async () => [],
      sums_in_doubt: async () => [],
      dead_letters: async () => [],
      own_log: async () => [],
      anchors: async () => [],
      halted_retention: async () => [],
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
    sessions: await openSessions({ database, clock, isInForce: () => true }),
    live,
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
      sumsInDoubt: { list: async () => [] },
      pipeline: { quiet: (_patienceMs, act) => act(() => undefined) },
      clock,
      log: silentLog,
    }),
    audit: {
      ...(await openLogAndFiles({ disk: forgetfulDisk(() => clock.nowMs()).live(() => null).disk, clock })),
      checkpoints: createCheckpoints(database, 86_400_000),
      anchors: { states: () => [] },
      ended: { all: () => [] },
      pruning: { minimumIndex: () => 0 },
      ask: (sql, parameters) => store.query(sql, parameters),
      drain: () => Promise.resolve(),
    },
    again: {
      list: async () => aside,
      load: async (name) => (name === 'full' ? { refused: 'the queue holds too much' } : { as: `${name}.0` }),
    },
    backups: { start: () => null, state: () => null, ended: () => Promise.resolve() },
    authenticate: (token) => bearers.get(token) ?? null,
    tokens: await openTokens({
      database,
      directory: temporaryDirectory('outrider-api-tokens'),
      clock,
      given: undefined,
    }),
    missing: () => missing,
    metrics: {
      figures: async () => ({
        plain: {
          outrider_queue_segments: 2,
          outrider_queue_bytes: 7,
          outrider_queue_refusing: 0,
          outrider_queue_not_loading: 0,
          outrider_queue_set_aside: 0,
          outrider_queue_segments_lost_total: 0,
          outrider_queue_oldest_seconds: 0,
          outrider_dropped_attributes_total: 0,
          outrider_overruled_claims_total: 0,
          outrider_quarantined_total: 0,
          outrider_control_statements_pending: 0,
          outrider_event_streams: 0,
          outrider_store_sums_in_doubt: 0,
          outrider_store_memory_bytes: 0,
          outrider_alert_evaluation_failures_total: 0,
          outrider_audit_leaves: 9,
          outrider_audit_minimum_index: 0,
          outrider_audit_waiting_requests: 0,
          outrider_audit_behind_seconds: 0,
          outrider_export_waiting_bytes: 0,
          outrider_export_given_up_total: 0,
        },
        bySignal: {
          outrider_received_requests_total: { traces: 0, logs: 3, metrics: 0 },
          outrider_received_items_total: { traces: 0, logs: 5, metrics: 0 },
          outrider_stored_items_total: { traces: 0, logs: 7, metrics: 0 },
        },
        byAnchor: {
          outrider_audit_anchored_leaves: { 'command git': 8 },
          outrider_audit_anchor_failing_seconds: { 'command git': 0 },
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

/** The code of a refusal, the status of everything else; what a stream would say is not waited for. */
async function codeOf(method: string, path: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, host: 'localhost' };
  const body = method === 'GET' || method === 'DELETE' ? null : 'no JSON';
  const answer = await api.request(path, { method, headers, body });
  if (answer.status === 403) return ((await answer.json()) as { error: { code: string } }).error.code;
  await answer.body?.cancel();
  return String(answer.status);
}

describe('kinds of tokens', () => {
  const routes = () => [
    ...new Set(
      api.routes
        .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/v1/'))
        .map(({ method, path }) => `${method} ${path}`),
    ),
  ];

  test('what is said of access is said of routes that exist', () => {
    expect(Object.keys(ACCESS).filter((route) => !routes().includes(route))).toEqual([]);
  });

  const LESSER = TOKEN_KINDS.filter((kind) => kind !== 'operator');
  test.each(LESSER)('%s: each route refuses it or lets it in, as the list says', async (kind) => {
    const wrong: string[] = [];
    for (const route of routes()) {
      const [method, path] = route.split(' ') as [string, string];
      const mayAsk = kindsFor(method, path).includes(kind);
      const code = await codeOf(method, path.replace(/:\w+|\*/g, 'x'), kind);
      if ((code === 'wrong_kind') === mayAsk) wrong.push(`${route}: ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  test('only operators act on what people decide', () => {
    const acts = routes().filter(
      (route) => !route.startsWith('GET ') && kindsFor(...split(route)).length > 1,
    );
    expect(acts.sort()).toEqual([
      'POST /v1/agents',
      'POST /v1/audit/settled',
      'POST /v1/dead-letters/:id/replays/:attempt',
      'POST /v1/dead-letters/claims',
      'POST /v1/holds',
      'POST /v1/holds/:id',
      'POST /v1/leases',
      'POST /v1/policy',
      'POST /v1/tasks/:id',
      'POST /v1/tools',
      'PUT /v1/bodies/:sha256',
    ]);
  });
  const split = (route: string) => route.split(' ') as [string, string];

  test('a refusal names the kind that is needed, and a telemetry token may ask nothing', async () => {
    const refused = await send({ method: 'POST', path: '/v1/budgets/raise', token: 'sidecar', body: '{}' });
    expect(JSON.parse(refused.text)).toEqual({
      error: {
        code: 'wrong_kind',
        message: 'This takes a token of kind `operator`; the one shown is of kind `sidecar`.',
      },
    });
    const allowed = routes().filter((route) => kindsFor(...split(route)).includes('telemetry'));
    expect(allowed).toEqual([]);
    expect(routes().filter((route) => !kindsFor(...split(route)).includes('operator'))).toEqual([]);
  });

  test('a sidecar settles a hold, and an operator corrects it', async () => {
    const correct = JSON.stringify({ correct: ZERO, reason: 'counted anew' });
    const by = (token: TokenKind, body: string) =>
      send({ method: 'POST', path: '/v1/holds/h1', token, body });
    expect((await by('sidecar', correct)).status).toBe(403);
    expect((await by('operator', correct)).status).toBe(404);
    expect((await by('sidecar', JSON.stringify({ release: true }))).status).toBe(404);
  });

  test('a reader may ask all that an export and a status take', () => {
    for (const path of [
      'status',
      'key',
      'checkpoints',
      'logs',
      'logs/:name/tile/*',
      'tile/*',
      'control-events',
    ])
      expect(kindsFor('GET', `/v1/audit/${path}`), path).toContain('reader');
  });

  test('HEAD of a stream opens none', async () => {
    const before = recalls.listeners();
    const { status } = await send({
      method: 'HEAD',
      path: '/v1/events?agent=a&instance=1',
      token: 'sidecar',
    });
    expect([status, recalls.listeners()]).toEqual([200, before]);
    expect((await send({ method: 'HEAD', path: '/v1/live', token: 'reader' })).status).toBe(200);
    expect(live.listeners()).toBe(0);
  });

  test('an event stream ends as soon as its token is over', async () => {
    bearers.set('soon', { name: 'soon', kind: 'sidecar', claims: {} });
    const headers = { authorization: 'Bearer soon' };
    const stream = await fetch(new URL('/v1/events?agent=a&instance=1', listening.url), { headers });
    const reader = stream.body!.getReader();
    await reader.read();
    recalls.endRevoked();
    recalls.publish({ agent: 'a', instance: '1', lease: 'still heard' });
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('still heard');
    bearers.delete('soon');
    recalls.endRevoked();
    while (!(await reader.read()).done);
  });

  test('a token that expires ends its stream at the next beat', async () => {
    bearers.set('soon', { name: 'soon', kind: 'sidecar', claims: {} });
    const headers = { authorization: 'Bearer soon' };
    const stream = await fetch(new URL('/v1/events?agent=a&instance=2', listening.url), { headers });
    const reader = stream.body!.getReader();
    await reader.read();
    bearers.delete('soon');
    clock.advance(15_000);
    while (!(await reader.read()).done);
  });
});

describe('a sidecar’s token for some agents', () => {
  const AMOUNTS = { amounts: usd(1), ttl_ms: 1_000 };
  const BEAT = { instance: '1', mode: 'enforce', health: 'ok', policy: 'p' };
  const REPORT = { instance: '1', digest: '0'.repeat(64), loaded_at: 0, by: 'me', sources: [] };
  test.each([
    ['POST', '/v1/leases', (agent: string) => ({ agent, instance: '1', asks: [] })],
    ['POST', '/v1/holds', (agent: string) => ({ id: `of-${agent}`, agent, ...AMOUNTS })],
    ['POST', '/v1/agents', (name: string) => ({ name, ...BEAT })],
    ['POST', '/v1/policy', (agent: string) => ({ agent, ...REPORT })],
    ['POST', '/v1/tasks/t', (agent: string) => ({ agent, state: 'done' })],
    ['POST', '/v1/tools', (agent: string) => ({ agent, tools: [] })],
    ['POST', '/v1/dead-letters/claims', (agent: string) => ({ agent, instance: '1' })],
  ] as const)('%s %s: for its own, and for no other', async (method, path, message) => {
    const by = (agent: string) => send({ method, path, token: 'of-a', body: JSON.stringify(message(agent)) });
    const others = await by('b');
    expect([others.status, others.text]).toEqual([
      403,
      '{"error":{"code":"wrong_agent","message":"The token shown speaks for a alone."}}',
    ]);
    const own = await by('a');
    expect(own.status, own.text).not.toBe(400);
    expect(own.status).not.toBe(403);
  });

  test('settles holds of its own alone', async () => {
    await bench.fresh();
    for (const agent of ['a', 'b'])
      await send({
        method: 'POST',
        path: '/v1/holds',
        body: JSON.stringify({ id: `by-${agent}`, agent, ...AMOUNTS }),
      });
    const release = (id: string) =>
      send({ method: 'POST', path: `/v1/holds/${id}`, token: 'of-a', body: '{"release":true}' });
    expect((await release('by-b')).text).toContain('"wrong_agent"');
    expect((await release('by-nobody')).text).toContain('"wrong_agent"');
    expect((await release('by-a')).status).toBe(200);
  });

  test('says of no other’s stream that it began', async () => {
    const beat = (stream: string) => {
      const body = JSON.stringify({
        name: 'a',
        ...BEAT,
        stream,
        began: { after: '', seq: 0, damagedBytes: 1 },
      });
      return send({ method: 'POST', path: '/v1/agents', token: 'of-a', body });
    };
    expect((await beat('b/1/00ff')).text).toContain('"wrong_agent"');
    expect((await beat('a/1/00ff')).status).toBe(200);
  });

  test('hears the events of its own alone', async () => {
    const path = (agent: string) => `/v1/events?agent=${agent}&instance=1`;
    expect((await send({ method: 'GET', path: path('b'), token: 'of-a' })).status).toBe(403);
    expect((await send({ method: 'GET', path: path(''), token: 'of-a' })).status).toBe(403);
  });
});

describe('tokens', () => {
  const make = async (order: object) => {
    const body = JSON.stringify({
      name: 'laptop',
      kind: 'telemetry',
      claims: { agent: ['scout'] },
      ...order,
    });
    const { status, text } = await send({ method: 'POST', path: '/v1/tokens', body });
    return { status, answer: JSON.parse(text) as { token: string; error: { message: string } } };
  };

  test('are made, listed without their secrets, and revoked', async () => {
    const { status, answer } = await make({ for_ms: 60_000 });
    expect(status).toBe(201);
    expect(answer).toMatchObject({ name: 'laptop', kind: 'telemetry', created_by: 'join' });
    expect(answer.token).toMatch(/^ort_/);
    const { text } = await send({ method: 'GET', path: '/v1/tokens', token: 'reader' });
    expect(JSON.parse(text)).toContainEqual(expect.objectContaining({ name: 'laptop' }));
    expect(text).not.toContain(answer.token);
    expect((await make({})).status).toBe(409);
    const revoke = { method: 'DELETE', path: '/v1/tokens/laptop' };
    expect((await send(revoke)).status).toBe(200);
    expect((await send(revoke)).status).toBe(404);
  });

  test.each([
    ['no claim', { claims: {} }, /claims at least one attribute/],
    ['a claim of a kind that has none', { kind: 'reader' }, /others none/],
    [
      'a sidecar that claims more than agents',
      { kind: 'sidecar', claims: { region: ['eu'] } },
      /others none/,
    ],
    ['a name the collector gives', { name: 'join-7' }, /a name the collector gives/],
    ['a name with a blank', { name: 'a b' }, /letters, digits/],
    ['a claim on what is dropped', { claims: { 'outrider.agent': ['a'] } }, /claimed by nobody/],
    ['the attribute that has a name of its own', { claims: { 'service.name': ['a'] } }, /is written `agent`/],
    ['no attribute', { claims: { '=': ['a'] } }, /neither `agent` nor/],
    ['a comma in a value', { claims: { agent: ['a,b'] } }, /holds letters/],
    [
      'more than a row should carry',
      { claims: { agent: ['a'.repeat(128), 'b'.repeat(128)] } },
      /at most 160/,
    ],
    ['a kind there is not', { kind: 'root' }, /kind/],
  ])('%s is refused in words', async (_what, order, words) => {
    const { status, answer } = await make({ name: 'fresh', ...order });
    expect(status).toBe(400);
    expect(answer.error.message).toMatch(words);
  });
});
