// GET /v1/fleet: what the fleet does, costs and was refused, and who waits for a person, over the last hours or days.

import type { Handler } from 'hono';
import { z } from 'zod';
import type { Config } from '../../contract/config/config.ts';
import {
  type AgentSums,
  type FleetAnswer,
  RANGES,
  type Range,
  type RefusalLine,
  type Sums,
  type WaitingLine,
} from '../../contract/console.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Store } from '../store/store.ts';
import { AS_NUMBERS, added, isoTime, QUANTILES, rollupOf, SUMS } from './call-rows.ts';
import { checked } from './messages.ts';
import { filled, type Steps, stepsOf } from './series.ts';
import { shared } from './shared.ts';

const AGENTS_MAX = 500;
const REFUSALS_MAX = 500;
const WAITING_MAX = 50;
/** However many look, the store is asked once in so long: the farther back, the less often. */
export const freshMs = (range: Range) => Math.max(1_000, RANGES[range].seconds / 86.4);
/** Further back than this nobody asks when an agent's last call was. */
const LAST_CALL_MS = 86_400_000;

export const rangeQuery = z.object({
  range: z.enum(Object.keys(RANGES) as [Range, ...Range[]]).default('24h'),
});

export function showFleet(store: Store, config: () => Config, clock: Clock): Handler {
  const once = shared<FleetAnswer>(clock);
  return async (context) => {
    const { range } = checked(context.req.query(), rangeQuery);
    const find = () => fleetAnswer(store, config().fleet, range, clock.nowMs());
    return context.json(await once(range, freshMs(range), find));
  };
}

/** Where a question reads: which rollup, from when, of which agent (all, when empty). */
export interface Look extends Steps {
  readonly rollup: string;
  readonly agent: string;
}

export const lookOf = (range: Range, nowMs: number, agent = ''): Look => ({
  ...stepsOf(range, nowMs),
  rollup: rollupOf(range),
  agent,
});

const OF_AGENT = `({agent:String} = '' OR agent_id = {agent:String})`;
export const IN_ROLLUP = `rollup.time >= fromUnixTimestamp({from:UInt32}) AND ${OF_AGENT}`;

async function fleetAnswer(store: Store, fleet: string, range: Range, nowMs: number): Promise<FleetAnswer> {
  const look = lookOf(range, nowMs);
  const [rows, agents, refusals, waiting] = await Promise.all([
    seriesOf(store, look),
    agentsOf(store, look, nowMs),
    refusalsOf(store, look),
    waitingOf(store, look),
  ]);
  return { fleet, range, sums: added(rows), series: filled(rows, look), agents, refusals, waiting };
}

export function seriesOf(store: Store, { rollup, from, step, agent }: Look) {
  return store.query<Sums & { at: number }>(
    `SELECT intDiv(toUnixTimestamp(rollup.time), {step:UInt32}) * {step:UInt32} AS at, ${SUMS}
     FROM ${rollup} WHERE ${IN_ROLLUP} GROUP BY at ORDER BY at ${AS_NUMBERS}`,
    { from, step, agent },
  );
}

async function agentsOf(store: Store, { rollup, from, agent }: Look, nowMs: number): Promise<AgentSums[]> {
  const [sums, lasts] = await Promise.all([
    store.query<Omit<AgentSums, 'last_call'>>(
      `SELECT agent_id AS agent, argMax(rollup.department, rollup.time) AS department, argMax(rollup.owner, rollup.time) AS owner,
         ${SUMS}, ${QUANTILES}
       FROM ${rollup} WHERE ${IN_ROLLUP}
       GROUP BY agent_id ORDER BY sum(rollup.cost_nanodollars) DESC, calls DESC, agent LIMIT ${AGENTS_MAX} ${AS_NUMBERS}`,
      { from, agent },
    ),
    store.query<{ agent: string; last: string }>(
      `SELECT agent_id AS agent, ${isoTime('max(timestamp)')} AS last FROM actions
       WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY agent_id`,
      { since: nowMs - LAST_CALL_MS },
    ),
  ]);
  const last = new Map(lasts.map((each) => [each.agent, each.last]));
  return sums.map((each) => ({ ...each, last_call: last.get(each.agent) ?? null }));
}

export function refusalsOf(store: Store, { from, agent }: Look): Promise<RefusalLine[]> {
  return store.query(
    `SELECT actions.refusal AS refusal, agent_id AS agent, count() AS calls, ${isoTime('max(timestamp)')} AS last
     FROM actions WHERE timestamp >= fromUnixTimestamp({from:UInt32}) AND ${OF_AGENT} AND refusal != ''
     GROUP BY refusal, agent_id ORDER BY calls DESC, refusal, agent LIMIT ${REFUSALS_MAX} ${AS_NUMBERS}`,
    { from, agent },
  );
}

function waitingOf(store: Store, { from }: Look): Promise<WaitingLine[]> {
  return store.query(
    `SELECT agent_id AS agent, argMax(actions.owner, timestamp) AS owner, actions.target AS target,
       argMax(actions.rule, timestamp) AS rule, count() AS calls, ${isoTime('max(timestamp)')} AS last,
       argMax(actions.trace_id, timestamp) AS trace_id, argMax(actions.span_id, timestamp) AS span_id
     FROM actions WHERE timestamp >= fromUnixTimestamp({from:UInt32}) AND status = 'escalated'
     GROUP BY agent_id, target ORDER BY max(timestamp) DESC LIMIT ${WAITING_MAX} ${AS_NUMBERS}`,
    { from },
  );
}
