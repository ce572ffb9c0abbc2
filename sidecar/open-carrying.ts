// What the stages of a call use, from the dialects to the counters: what a start has opened so far, put together with what
// is only for calls.

import type { DialectName } from '../contract/attributes.ts';
import type { Secrets } from '../kit/secrets.ts';
import { createTurn } from '../kit/turn.ts';
import { createBodies } from './accept/body.ts';
import { lineageOf, randomHex } from './accept/lineage.ts';
import { createRetryBudget, wasSent } from './attempts/retry-budget.ts';
import type { Known } from './call.ts';
import type { Replays } from './dead-letters/replays.ts';
import { upstreamOf } from './destination.ts';
import { a2a } from './dialects/a2a.ts';
import { anthropic } from './dialects/anthropic.ts';
import { bedrock } from './dialects/bedrock.ts';
import type { Dialect } from './dialects/dialect.ts';
import { gemini } from './dialects/gemini.ts';
import { http } from './dialects/http.ts';
import { mcp } from './dialects/mcp.ts';
import { openai } from './dialects/openai.ts';
import { createDialer } from './edges/dialer.ts';
import type { Edges } from './edges/edges.ts';
import { createResolver } from './edges/resolver.ts';
import { createUpstreams } from './edges/upstreams.ts';
import { limitedOf } from './guarded.ts';
import { createMeters } from './meters/meters.ts';
import { openAttempts } from './open-attempts.ts';
import { openCircuits } from './open-circuits.ts';
import type { Isolation } from './open-isolation.ts';
import type { Services } from './pipeline.ts';
import type { Presence } from './presence.ts';
import type { CallRecord } from './record.ts';
import type { Refusing } from './refuse.ts';
import { judgementOf } from './stages/authorize.ts';
import type { Carrying, Start } from './starting.ts';
import type { Agents } from './state/agents.ts';
import { createBatchFiles } from './state/batch-files.ts';
import type { Leases } from './state/leases/leases.ts';
import type { Pins } from './state/pins.ts';
import { createTasks } from './state/tasks.ts';

const DIALECTS: Readonly<Partial<Record<DialectName, Dialect>>> = {
  openai,
  anthropic,
  gemini,
  bedrock,
  mcp,
  a2a,
  http,
};
/** What other steps of the start have opened. */
interface Given extends Pick<Isolation, 'quarantine' | 'underWay'>, Pick<Presence, 'seen'> {
  readonly leases: Leases;
  readonly agents: Agents;
  readonly secrets: Secrets;
  readonly pins: Pins;
  readonly refusing: Refusing;
  readonly replays: Replays;
}

export function openCarrying(
  starting: Start,
  edges: Edges,
  { leases, agents, secrets, seen, pins, quarantine, underWay, refusing, replays }: Given,
): Carrying {
  const { agent, task, inForce, clock, log, lifecycle } = starting;
  const turn = createTurn(log);
  lifecycle.onStop('endings', () => turn.finish());
  const ownPorts = new Set<number>();
  const dialer = createDialer({ resolver: createResolver(), ownPorts: () => ownPorts });
  const upstreams = createUpstreams(dialer);
  lifecycle.onStop('upstreams', () => upstreams.close());
  const tasks = createTasks(clock, () => task ?? `task-${randomHex(6)}`);
  const bodies = createBodies(() => inForce().limits.bodyBytesInFlightMax);
  const batchFiles = createBatchFiles();
  const admission = openCircuits(starting, edges);
  const { throttles } = admission;
  const meters = createMeters(inForce, agent);
  const now = () => new Date(clock.nowMs());
  const retryBudget = createRetryBudget(clock);
  const ended = (record: CallRecord): void => {
    meters.count(record);
    if (wasSent(record)) retryBudget.called();
    if (record.replayOf !== '') replays.ended(record);
  };
  const services: Services = {
    identification: {
      agents,
      lineageOf: (headers, name) => lineageOf(headers, name, tasks),
      seen,
    },
    classification: { dialects: DIALECTS, bodies },
    authorization: {
      rates: admission.rates,
      changed: pins.changed,
      batchFiles,
      now,
    },
    quarantine,
    reservation: { leases },
    admission,
    attempts: openAttempts(
      starting,
      retryBudget,
      { dialects: DIALECTS, judge: (call) => judgementOf(call, { now }) },
      throttles,
    ),
    metering: { pins, batchFiles, throttles, listening: new Set(), nowMs: () => clock.nowMs() },
    secrets,
    upstreams,
    trail: {
      book: edges.book,
      deadLetters: edges.deadLetters,
      clock,
      turn,
      log,
      underWay,
      ended,
      throttled: (call) => throttles.heard(limitedOf(call), { waitMs: null, spent: false }),
    },
    refusing,
  };
  return { services, admission, bodies, meters, replays, ownPorts };
}

export function dialectFor(call: Known): Dialect {
  return DIALECTS[upstreamOf(call.policy.config, call)?.speaks ?? 'http'] ?? http;
}
