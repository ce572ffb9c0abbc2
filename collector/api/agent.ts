// GET /v1/agents/{name}: one agent, as its owner asks: what it did, with which models, through what, for which tasks.

import type { Handler } from 'hono';
import { z } from 'zod';
import { agentNamed, type Config, modeOf } from '../../contract/config/config.ts';
import type { AgentAnswer, AgentEntry, PartSums, Range, TaskLine } from '../../contract/console.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Store } from '../store/store.ts';
import { AS_NUMBERS, added, isoTime, nanodollars, QUANTILES, SUMS } from './call-rows.ts';
import { freshMs, IN_ROLLUP, type Look, lookOf, rangeQuery, refusalsOf, seriesOf } from './fleet.ts';
import { checked } from './messages.ts';
import { filled } from './series.ts';
import { shared } from './shared.ts';

const PARTS_MAX = 50;
const TASKS_MAX = 50;

const agentName = z.string().min(1).max(256);

export function showAgent(store: Store, config: () => Config, clock: Clock): Handler {
  const once = shared<AgentAnswer>(clock);
  return async (context) => {
    const { range } = checked(context.req.query(), rangeQuery);
    const agent = checked(context.req.param('name'), agentName);
    const find = () => agentAnswer(store, config(), { agent, range, nowMs: clock.nowMs() });
    return context.json(await once(`${range} ${agent}`, freshMs(range), find));
  };
}

async function agentAnswer(
  store: Store,
  config: Config,
  { agent, range, nowMs }: { agent: string; range: Range; nowMs: number },
): Promise<AgentAnswer> {
  const look = lookOf(range, nowMs, agent);
  const [rows, whole, models, upstreams, refusals, tasks] = await Promise.all([
    seriesOf(store, look),
    partsOf(store, look, `''`),
    partsOf(store, look, 'rollup.model'),
    partsOf(store, look, 'rollup.upstream'),
    refusalsOf(store, look),
    tasksOf(store, look),
  ]);
  return {
    agent,
    range,
    entry: entryOf(config, agent),
    sums: added(rows),
    p50_ms: whole[0]?.p50_ms ?? null,
    p95_ms: whole[0]?.p95_ms ?? null,
    series: filled(rows, look),
    models: models.filter(({ name }) => name !== ''),
    upstreams: upstreams.filter(({ name }) => name !== ''),
    refusals,
    tasks,
  };
}

function entryOf(config: Config, name: string): AgentEntry | null {
  const agent = agentNamed(config, name);
  if (!agent) return null;
  const { pattern, roles, department, owner, version, expectedTaskMs } = agent;
  const mode = modeOf(config, agent);
  return { pattern, roles, department, owner, version, mode, expected_task_ms: expectedTaskMs };
}

function partsOf(store: Store, { rollup, from, agent }: Look, part: string): Promise<PartSums[]> {
  return store.query(
    `SELECT ${part} AS name, ${SUMS}, ${QUANTILES} FROM ${rollup} WHERE ${IN_ROLLUP}
     GROUP BY name ORDER BY sum(rollup.cost_nanodollars) DESC, calls DESC, name LIMIT ${PARTS_MAX} ${AS_NUMBERS}`,
    { from, agent },
  );
}

function tasksOf(store: Store, { from, agent }: Look): Promise<TaskLine[]> {
  return store.query(
    `SELECT task_id AS task, state, ${isoTime('tasks.first_call')} AS first_call, ${isoTime('tasks.last_call')} AS last_call,
       calls, failures AS failed, refusals AS refused, escalations AS escalated, tokens_in, tokens_out,
       ${nanodollars('cost_usd')} AS cost_nanodollars
     FROM tasks WHERE agent_id = {agent:String} AND tasks.last_call >= fromUnixTimestamp({from:UInt32})
     ORDER BY tasks.last_call DESC LIMIT ${TASKS_MAX} ${AS_NUMBERS}`,
    { from, agent },
  );
}
