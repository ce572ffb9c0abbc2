// The control API as a table of contents: one line for each thing that can be asked, one file for each noun.

import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Config } from '../../contract/config/config.ts';
import type { PolicyReport } from '../../contract/policy.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Backups } from '../backup.ts';
import type { ChainWatch } from '../chain-watch.ts';
import type { Database } from '../control/database.ts';
import type { DeadLetters } from '../control/dead-letters.ts';
import { DatabaseUnavailable } from '../control/failures.ts';
import type { Holds } from '../control/holds.ts';
import type { KeptBodies } from '../control/kept-bodies.ts';
import type { LearningOptions } from '../control/learning.ts';
import type { Ledger } from '../control/ledger.ts';
import type { Modes } from '../control/modes.ts';
import type { Quarantines } from '../control/quarantines.ts';
import type { Raises } from '../control/raises.ts';
import type { Roster } from '../control/roster.ts';
import type { Sessions } from '../control/sessions.ts';
import type { Tokens } from '../control/tokens.ts';
import type { Tools } from '../control/tools.ts';
import type { Again } from '../queue/again.ts';
import type { Rebuilds } from '../rebuild.ts';
import type { Retention } from '../retention.ts';
import { StoreUnavailable } from '../store/failures.ts';
import type { Store } from '../store/store.ts';
import { showAgent } from './agent.ts';
import { hearAgent, listAgents } from './agents.ts';
import { type AlertDesk, alertRoutes } from './alerts.ts';
import { type AuditDesk, auditRoutes } from './audit.ts';
import { backupRoutes } from './backups.ts';
import { bodyRoutes } from './bodies.ts';
import { checkLedger, listBudgets, listEntries, listLate, writeOff } from './budgets.ts';
import { listCalls } from './calls.ts';
import { serveConsole } from './console.ts';
import { letterRoutes } from './dead-letters.ts';
import { erasureRoutes } from './erase.ts';
import { type Recalls, streamEvents } from './events.ts';
import { ApiError, failureBody } from './failures.ts';
import { showFleet } from './fleet.ts';
import {
  type ApiEnvironment,
  type Authenticate,
  authenticated,
  knownHosts,
  ofRightKind,
  securityHeaders,
} from './guards.ts';
import { holdRoutes } from './holds.ts';
import { learningRoutes } from './learning.ts';
import { answerLeases } from './leases.ts';
import { type Live, streamLive } from './live.ts';
import { type MetricSources, serveMetrics } from './metrics.ts';
import { modeRoutes } from './modes.ts';
import { OPENAPI } from './openapi/openapi.ts';
import { policyRoutes } from './policy.ts';
import { quarantineRoutes } from './quarantine.ts';
import { raiseRoutes } from './raises.ts';
import { rebuildRoutes } from './rebuild.ts';
import { retentionRoutes } from './retention.ts';
import { listSessions, login, makeLoginLink, revokeSession } from './sessions.ts';
import { setAsideRoutes } from './set-aside.ts';
import { endTask } from './tasks.ts';
import { tokenRoutes } from './tokens.ts';
import { toolRoutes } from './tools.ts';
import { showTrace } from './traces.ts';
import { listWaiting } from './waiting.ts';

export interface ApiOptions {
  readonly database: Database;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly live: Live;
  readonly ledger: Ledger;
  readonly learning: LearningOptions;
  readonly holds: Holds;
  readonly raises: Raises;
  readonly roster: Roster;
  keepPolicy(report: PolicyReport): Promise<void>;
  readonly modes: Modes;
  readonly tools: Tools;
  readonly quarantines: Quarantines;
  readonly alerts: AlertDesk;
  readonly letters: DeadLetters;
  readonly bodies: KeptBodies;
  /** The one in force. */
  config(): Config;
  readonly recalls: Recalls;
  readonly audit: AuditDesk;
  readonly backups: Backups;
  readonly retention: Retention;
  readonly rebuilds: Rebuilds;
  readonly authenticate: Authenticate;
  readonly tokens: Pick<Tokens, 'create' | 'revoke' | 'list'>;
  readonly again: Again;
  readonly chains: Pick<ChainWatch, 'isForked'>;
  readonly otlpPort: number;
  /** What is not there yet; ready when empty. */
  missing(): readonly string[];
  readonly metrics: MetricSources;
  /** Names under which the API may be called, besides loopback's. */
  readonly hosts: readonly string[];
  readonly beyondLoopback: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export type Api = Hono<ApiEnvironment>;

export const BODY_BYTES_MAX = 1024 * 1024;

export function createApi(options: ApiOptions): Api {
  const { ledger, roster, modes, tools, quarantines, recalls, clock, log } = options;
  const api: Api = new Hono<ApiEnvironment>();
  api.onError((failure, context) => {
    if (failure instanceof ApiError) return context.json(failureBody(failure), failure.status);
    log.error('api_failed', { path: context.req.path, reason: sentenceOf(failure) });
    if (failure instanceof DatabaseUnavailable || failure instanceof StoreUnavailable) {
      return context.json(
        failureBody({ code: 'unavailable', message: `${failure.message} Try again shortly.` }),
        503,
      );
    }
    return context.json(
      failureBody({ code: 'internal', message: 'The collector failed; its log says how.' }),
      500,
    );
  });
  api.notFound((context) =>
    context.json(
      failureBody({ code: 'not_found', message: 'There is nothing here; see /v1/openapi.json.' }),
      404,
    ),
  );

  api.use(securityHeaders());
  api.use(knownHosts(options.hosts, options.beyondLoopback));
  api.use('/v1/*', authenticated(options.authenticate, options.sessions));
  api.use('/v1/*', ofRightKind());
  // A DELETE's body is never read; wrapping an empty one breaks in the server's own request object.
  const limited = bodyLimit({ maxSize: BODY_BYTES_MAX, onError: tooLarge });
  api.use('/v1/*', (context, next) => (context.req.method === 'DELETE' ? next() : limited(context, next)));

  api.post('/v1/leases', answerLeases(ledger));
  api.get('/v1/budgets', listBudgets(ledger));
  api.get('/v1/budgets/entries', listEntries(options.database));
  api.get('/v1/budgets/late', listLate(options.database));
  api.get('/v1/budgets/check', checkLedger(options.database));
  api.post('/v1/budgets/write-off', writeOff(ledger, log));
  learningRoutes(api, options.learning);
  holdRoutes(api, options.holds);
  raiseRoutes(api, options.raises);
  api.get('/v1/budgets/waiting', listWaiting(roster));
  api.get('/v1/agents', listAgents(roster));
  api.post('/v1/agents', hearAgent(options));
  modeRoutes(api, modes, roster, options.config);
  toolRoutes(api, tools);
  quarantineRoutes(api, options);
  alertRoutes(api, options.alerts);
  letterRoutes(api, options);
  bodyRoutes(api, options.bodies);
  auditRoutes(api, options.audit);
  backupRoutes(api, options.backups);
  retentionRoutes(api, options.retention);
  erasureRoutes(api, options);
  rebuildRoutes(api, options.rebuilds);
  setAsideRoutes(api, options);
  policyRoutes(api, options.keepPolicy);
  tokenRoutes(api, options.tokens);
  api.post('/v1/tasks/:id', endTask(ledger));
  api.get('/v1/events', (context) =>
    streamEvents(context, recalls, () => ({ revision: quarantines.revision() }), clock),
  );
  api.get('/v1/openapi.json', (context) => context.json(OPENAPI));
  consoleRoutes(api, options);
  api.get('/healthz', (context) => context.text('ok\n'));
  api.get('/readyz', (context) => {
    const missing = options.missing();
    return context.json({ ready: missing.length === 0, missing }, missing.length === 0 ? 200 : 503);
  });
  api.get('/metrics', serveMetrics(options.metrics));
  return api;
}

/** What people look at: pages and the answers behind them. */
function consoleRoutes(api: Api, { store, config, sessions, live, clock }: ApiOptions): void {
  api.get('/v1/fleet', showFleet(store, config, clock));
  api.get('/v1/agents/:name', showAgent(store, config, clock));
  api.get('/v1/calls', listCalls(store, clock));
  api.get('/v1/traces/:id', showTrace(store));
  api.get('/v1/live', (context) => streamLive(context, live));
  api.post('/v1/sessions', makeLoginLink(sessions));
  api.get('/v1/sessions', listSessions(sessions));
  api.delete('/v1/sessions/:id', revokeSession(sessions));
  api.get('/login', login(sessions));
  api.use(serveConsole());
}

function tooLarge(): never {
  throw new ApiError(413, 'body_too_large', `A body is at most ${BODY_BYTES_MAX} bytes: send several.`);
}
