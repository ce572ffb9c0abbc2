// One run: a seed's scenario is drawn, played and made whole again, and the checkers watch.

import type { Database } from '../../collector/control/database.ts';
import { DatabaseFailed } from '../../collector/control/failures.ts';
import type { Budget } from '../../contract/config/config.ts';
import type { openLeases } from '../../sidecar/open-leases.ts';
import { type CallPorts, makeCall, type Plan } from './calls.ts';
import {
  checkChains,
  checkEntries,
  checkLedger,
  checkNothingLeaks,
  checkPostedAsRecorded,
  checkPostedOnce,
  checkRecords,
  checkRefusal,
} from './checkers.ts';
import { type Collector, createCollector, type StoredRecord } from './collector.ts';
import type { ControlDatabase } from './control-database.ts';
import { type Fleet, heal, strike } from './faults.ts';
import { drawScenario, type Scenario, type ScenarioOptions } from './scenario.ts';
import { createSidecarHost, type SidecarHost } from './sidecar.ts';
import { createTruth, type LeaseStep, type Truth } from './truth.ts';
import { createNetwork } from './world/network.ts';
import { createWorld, type World } from './world/world.ts';

export interface Outcome {
  readonly seed: number;
  /** Empty when all held. */
  readonly findings: readonly string[];
  readonly history: readonly string[];
  readonly steps: number;
  readonly asks: number;
  readonly scenario: Scenario;
  readonly calls: Readonly<Record<string, number>>;
}

export interface SimulateOptions extends ScenarioOptions {
  readonly scenario?: (scenario: Scenario) => Scenario;
  readonly leasesOf?: typeof openLeases;
}

const CHECK_EVERY_ASKS = 12;
const ANSWER_TIMEOUT_MS = 5_000;
/** Time for retries, renewals, late messages and calls to come to rest. */
const REST_MS = 40_000;
const PROBE_MS = 5_000;
const STOP_MS = 40_000;

export async function simulate(
  seed: number,
  control: ControlDatabase,
  options: SimulateOptions = {},
): Promise<Outcome> {
  const world = createWorld(seed);
  const run = `r${String(await control.nextRun()).padStart(7, '0')}`;
  const drawn = drawScenario(world.random, run, options);
  const scenario = options.scenario?.(drawn) ?? drawn;
  const truth = createTruth(world);
  const watched = watch(control.database, world, truth);
  const records: StoredRecord[] = [];
  const fleet = assemble(world, truth, watched.database, scenario, run, records, options);
  const check = () => checkLedger(fleet, control.database, run);
  let checkedAt = 0;
  const afterEach = (): void => {
    if (watched.asks() < checkedAt + CHECK_EVERY_ASKS) return;
    checkedAt = watched.asks();
    world.after(0, () => void check());
  };

  const ports: CallPorts = {
    world,
    truth,
    holdWaitMs: () => scenario.configs[0]!.money.holdWaitMs,
    refused: (call, host, refusal) => void checkRefusal(fleet, control.database, call, host, refusal),
  };
  for (const collector of fleet.collectors) collector.boot();
  world.after(10, () => fleet.hosts.forEach((host) => void host.boot()));
  for (const { atMs, sidecar, plan } of scenario.calls)
    world.after(20 + atMs, () => makeCall(plan, fleet.hosts[sidecar % fleet.hosts.length]!, ports));
  for (const fault of scenario.faults)
    world.after(20 + fault.atMs, () => {
      fleet.trouble(fault.lastsMs);
      strike(fleet, fault);
    });
  await world.runUntil(scenario.lengthMs + 20, afterEach);

  world.note('world', 'all is made whole again');
  fleet.trouble(0);
  heal(fleet);
  await world.runUntil(world.nowMs() + REST_MS, afterEach);
  await probe(fleet, control.database, run, ports);
  await world.runUntil(world.nowMs() + PROBE_MS, afterEach);
  world.note('world', 'every sidecar stops');
  for (const host of fleet.hosts) void host.sidecar?.stop();
  await world.runUntil(world.nowMs() + STOP_MS, afterEach);
  if (world.findings.length === 0) {
    await check();
    await checkEntries(fleet, control.database);
    await checkNothingLeaks(fleet, control.database, run);
    await checkPostedOnce(fleet, control.database, run);
    checkRecords(fleet, records);
    checkChains(fleet, records);
    await checkPostedAsRecorded(fleet, control.database, run, records);
  }
  return {
    seed,
    findings: world.findings,
    history: world.history.map((line) => line.replaceAll(`${run}-`, '')),
    steps: world.steps,
    asks: watched.asks(),
    scenario,
    calls: countBy([...truth.calls.values()].map(({ state }) => state)),
  };
}

/** All that is left of the budgets is of use to whoever asks for it: idle slices elsewhere are called back for it. */
async function probe(fleet: Fleet, database: Database, run: string, ports: CallPorts): Promise<void> {
  const { world, hosts } = fleet;
  const host = hosts[0]!;
  if (!host.sidecar || world.findings.length > 0 || fleet.leakAllowed) return;
  const room = await roomOf(fleet, database, run, host);
  if (room === null || room.nanodollars <= 0n || room.tokens < 0n) return;
  const plan: Plan = {
    id: 'probe',
    task: 'probe',
    amounts: room,
    cost: { nanodollars: 0n, tokens: 0n },
    durationMs: 0,
    ending: 'unsent',
  };
  makeCall(plan, host, {
    ...ports,
    refused: (_call, _host, refusal) =>
      world.fail(
        `all calls have ended, n$${room.nanodollars}+${room.tokens}t is not spent, and nobody may have it: ${refusal.code}`,
      ),
  });
}

/** What nobody has spent, of all the accounts that bind the host's agent now. */
async function roomOf(fleet: Fleet, database: Database, run: string, host: SidecarHost) {
  const { world } = fleet;
  const nowMs = host.machine.wallMs();
  const rows = await world.freeze(
    database.query<{ level: string; unit: string; window: string; posted: string }>(
      `select level, unit, budget_window as window, posted::text from accounts
       where starts_with(name, $1) and level <> 'task' and starts_at <= $2 and ends_at > $2
         and (level <> 'agent' or name = $3)`,
      [run, nowMs, host.agent],
    ),
  );
  const config = fleet.config();
  const agent = config.agents.get(host.agent)!;
  const inForce: Readonly<Record<string, readonly Budget[]>> = {
    fleet: config.budgets,
    department: config.departments.get(agent.department ?? '')?.budgets ?? [],
    agent: agent.budgets,
  };
  // The ledger hears of a limit with the next ask: what counts is the configuration. Nothing is posted in a window that
  // nobody has asked for.
  const postedIn = (level: string, { unit, window }: Budget): bigint =>
    BigInt(
      rows.find((row) => row.level === level && row.unit === unit && row.window === window)?.posted ?? 0,
    );
  const left = (of: Budget['unit']): bigint | null =>
    Object.entries(inForce)
      .flatMap(([level, budgets]) =>
        budgets.filter(({ unit }) => unit === of).map((budget) => budget.limit - postedIn(level, budget)),
      )
      .reduce<bigint | null>((least, room) => (least === null || room < least ? room : least), null);
  const nanodollars = left('nanodollars');
  const tokens = left('tokens');
  const ofTask = agent.taskBudgets[0];
  const within = (room: bigint, unit: string): bigint =>
    ofTask?.unit === unit && ofTask.limit < room ? ofTask.limit : room;
  if (nanodollars === null) return null;
  return {
    nanodollars: within(nanodollars, 'nanodollars'),
    tokens: within(tokens ?? 0n, 'tokens'),
  };
}

function assemble(
  world: World,
  truth: Truth,
  database: Database,
  scenario: Scenario,
  run: string,
  records: StoredRecord[],
  options: SimulateOptions,
): Fleet {
  const network = createNetwork(world);
  let config = scenario.configs[0]!;
  let reloads = 0;
  let leases = 0;
  let troubleUntilMs = 0;
  const collectors: Collector[] = Array.from({ length: scenario.collectors }, (_, i) =>
    createCollector(world, `collector-${i}`, {
      database,
      config: () => config,
      startMs: scenario.startMs,
      newLease: () => `${run}-L${++leases}`,
      onRecall(from, { agent, instance, lease }) {
        for (const host of hosts)
          if (host.agent === agent && host.instance === instance)
            network.tell(from, host.machine, () => host.sidecar?.leases.recall(lease));
      },
      records,
    }),
  );
  const collectorOf = new Map(scenario.sidecars.map(({ name, collector }) => [name, collectors[collector]!]));
  const hosts: SidecarHost[] = scenario.sidecars.map((who) =>
    createSidecarHost(world, who, {
      config: () => config,
      strict: scenario.strict,
      segmentBytesMax: scenario.segmentBytesMax,
      startMs: scenario.startMs,
      ask(host, life, request) {
        const to = collectorOf.get(who.name)!;
        const caller = { machine: host.machine, life, timeoutMs: ANSWER_TIMEOUT_MS };
        return network.ask(caller, to.machine, request, (question) => to.lease(question));
      },
      ship(host, life, body) {
        const to = collectorOf.get(who.name)!;
        const caller = { machine: host.machine, life, timeoutMs: ANSWER_TIMEOUT_MS };
        return network
          .ask(caller, to.machine, null, () => to.store(body).then(() => 'stored'))
          .then(() => undefined);
      },
      ...(options.leasesOf ? { leasesOf: options.leasesOf } : {}),
    }),
  );
  return {
    world,
    network,
    hosts,
    collectors,
    truth,
    strict: scenario.strict,
    startMs: scenario.startMs,
    config: () => config,
    reload() {
      reloads += 1;
      config = scenario.configs[reloads % scenario.configs.length]!;
      world.note('world', `the configuration sets the fleet’s budget to ${config.budgets[0]!.limit}`);
    },
    writeOff(collector) {
      if (collector.ledger)
        void world.freeze(collector.ledger.writeOff({ reason: 'it never came back', dryRun: false }, 'anna'));
    },
    trouble(lastsMs) {
      troubleUntilMs = Math.max(troubleUntilMs, world.nowMs() + lastsMs);
    },
    troubleMs: () => troubleUntilMs,
    leakAllowed: false,
    healed: false,
  };
}

/** The database as the ledger sees it; the truth learns from it which accounts each lease is on. */
function watch(database: Database, world: World, truth: Truth): { database: Database; asks(): number } {
  let asks = 0;
  const query: Database['query'] = async (sql, parameters) => {
    try {
      const rows = await database.query(sql, parameters);
      if (sql.includes('budget_step(')) {
        const steps = JSON.parse(String(parameters![0])) as LeaseStep[];
        asks += steps.length;
        for (const [i, step] of steps.entries()) {
          const { lease } = (rows[i] as unknown as { answer: { lease?: string } }).answer;
          if (lease) truth.leaseOn(lease, step);
        }
      }
      return rows as never;
    } catch (failure) {
      if (failure instanceof DatabaseFailed)
        world.fail(`the ledger’s tables refuse a step: ${failure.message}`);
      throw failure;
    }
  };
  return { database: { ...database, query }, asks: () => asks };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
