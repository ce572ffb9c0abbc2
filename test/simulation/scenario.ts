// What a seed stands for: the fleet, its budgets, its calls, and what befalls it. All of it is drawn before anything
// runs, so that one call more or less does not make another story.

import type { Agent, Budget, Config } from '../../contract/config/config.ts';
import { parseConfig } from '../../contract/config/parse.ts';
import type { Plan } from './calls.ts';
import type { Random } from './world/random.ts';

export interface Scenario {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly strict: boolean;
  readonly segmentBytesMax: number;
  readonly collectors: number;
  readonly sidecars: readonly {
    readonly name: string;
    readonly agent: string;
    readonly instance: string;
    readonly collector: number;
  }[];
  /** The first is in force at the start; a reload takes the next. */
  readonly configs: readonly Config[];
  readonly calls: readonly { readonly atMs: number; readonly sidecar: number; readonly plan: Plan }[];
  readonly faults: readonly Fault[];
}

export const FAULT_KINDS = [
  'kill',
  'torn_write',
  'power_cut',
  'pause',
  'partition',
  'collector_down',
  'collector_dies_after_commit',
  'weather',
  'sidecar_clock_jumps',
  'collector_clock_jumps',
  'disk_full',
  'sync_fails',
  'bit_flips',
  'restart',
  'reload',
  'write_off',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** `which`: a sidecar's or collector's index, taken modulo how many there are. */
export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly lastsMs: number;
  readonly which: number;
  readonly byMs: number;
}

export interface ScenarioOptions {
  /** Only these befall the fleet; all kinds when not given. */
  readonly faults?: readonly FaultKind[];
}

const HOUR_MS = 3_600_000;
const EPOCH_MS = Date.UTC(2026, 2, 2);
const YAML = `fleet: f
upstreams: { openai: { url: https://api.openai.com, speaks: openai } }
roles: { r: { allow: [llm openai/x] } }
agents: { a: { role: r } }
`;
const { config: BASE } = await parseConfig([{ file: 'simulation.yaml', text: YAML }]);

/** `run` names the fleet and its agents. */
export function drawScenario(random: Random, run: string, options: ScenarioOptions = {}): Scenario {
  const lengthMs = random.pick([30_000, 90_000, 300_000]);
  const nearTurn = random.chance(0.3);
  const startMs =
    EPOCH_MS +
    random.between(0, 30 * 24) * HOUR_MS -
    (nearTurn ? random.between(0, lengthMs) : -random.between(0, HOUR_MS));
  const agents = Array.from({ length: random.between(1, 3) }, (_, i) => `${run}-a${i}`);
  const collectors = random.chance(0.25) ? 2 : 1;
  const sidecars = Array.from({ length: random.between(1, 4) }, (_, i) => ({
    name: `sidecar-${i}`,
    agent: agents[i % agents.length]!,
    instance: `host-${i}`,
    collector: random.between(0, collectors - 1),
  }));
  const configs = drawConfigs(random, run, agents, lengthMs);
  return {
    startMs,
    lengthMs,
    strict: random.chance(0.4),
    segmentBytesMax: random.pick([8_192, 32_768, 1 << 20]),
    collectors,
    sidecars,
    configs,
    calls: drawCalls(random, lengthMs, sidecars.length, configs[0]!),
    faults: drawFaults(random, lengthMs, options.faults ?? FAULT_KINDS),
  };
}

function drawConfigs(random: Random, run: string, agents: readonly string[], lengthMs: number): Config[] {
  const fleetLimit = BigInt(random.between(200, 3_000));
  const unit = (): Budget['unit'] => (random.chance(0.8) ? 'nanodollars' : 'tokens');
  const window = (): Budget['window'] => random.pick(['hour', 'day', 'month'] as const);
  const part = (): bigint => (fleetLimit * BigInt(random.between(30, 100))) / 100n;
  const fleetBudgets: Budget[] = [{ unit: 'nanodollars', limit: fleetLimit, window: window() }];
  if (random.chance(0.3)) fleetBudgets.push({ unit: 'tokens', limit: part(), window: window() });
  const department: Budget[] = random.chance(0.4) ? [{ unit: unit(), limit: part(), window: window() }] : [];
  const agentBudgets: Budget[] = random.chance(0.5)
    ? [{ unit: unit(), limit: part(), window: window() }]
    : [];
  const taskBudgets: Budget[] = random.chance(0.4)
    ? [{ unit: unit(), limit: part() / 2n, window: 'task' }]
    : [];
  const money = {
    ...BASE.money,
    holdWaitMs: random.pick([500, 1_000]),
    leaseMs: random.pick([lengthMs / 5, lengthMs / 2, 900_000]),
    offlineNanodollars: random.chance(0.4) ? fleetLimit / 10n : 0n,
  };
  const scaled = (budgets: readonly Budget[], percent: bigint): Budget[] =>
    budgets.map((budget) => ({ ...budget, limit: (budget.limit * percent) / 100n }));
  return [100n, BigInt(random.between(20, 99)), BigInt(random.between(101, 200))].map((percent) => ({
    ...BASE,
    fleet: `${run}-fleet`,
    budgets: scaled(fleetBudgets, percent),
    departments: new Map([[`${run}-lab`, { budgets: scaled(department, percent) }]]),
    agents: new Map(
      agents.map((name) => [
        name,
        agentOf(name, `${run}-lab`, scaled(agentBudgets, percent), scaled(taskBudgets, percent)),
      ]),
    ),
    money,
    digest: `${run}-${percent}`,
  }));
}

const agentOf = (
  pattern: string,
  department: string,
  budgets: readonly Budget[],
  taskBudgets: readonly Budget[],
): Agent => ({
  ...BASE.agents.get('a')!,
  pattern,
  department,
  budgets,
  taskBudgets,
});

function drawCalls(random: Random, lengthMs: number, sidecars: number, config: Config): Scenario['calls'] {
  const dear = config.budgets[0]!.limit / BigInt(random.pick([3, 10, 30]));
  const bursts = random.chance(0.3);
  const share = (): number => (random.chance(0.1) ? random.between(100, 130) : random.between(0, 100));
  return Array.from({ length: random.between(8, 30) }, (_, i) => {
    const held = {
      nanodollars: 1n + (dear * BigInt(random.between(1, 100))) / 100n,
      tokens: BigInt(random.between(1, 20)),
    };
    const percent = BigInt(share());
    const plan: Plan = {
      id: `call-${String(i).padStart(3, '0')}`,
      task: `task-${random.between(0, 2)}`,
      amounts: held,
      cost: { nanodollars: (held.nanodollars * percent) / 100n, tokens: (held.tokens * percent) / 100n },
      durationMs: random.pick([0, 5, 200, 3_000, 30_000]),
      ending: random.pick([
        'answered',
        'answered',
        'answered',
        'answered',
        'broken',
        'hung_up',
        'unsent',
      ] as const),
    };
    const atMs = bursts
      ? random.pick([0.1, 0.4, 0.8]) * lengthMs + random.between(0, 500)
      : random.between(0, lengthMs);
    return { atMs, sidecar: random.between(0, sidecars - 1), plan };
  });
}

function drawFaults(random: Random, lengthMs: number, kinds: readonly FaultKind[]): Fault[] {
  if (kinds.length === 0) return [];
  return Array.from({ length: random.between(0, 7) }, () => ({
    kind: random.pick(kinds),
    atMs: random.between(0, lengthMs),
    lastsMs: random.pick([50, 1_000, 5_000, 20_000, 120_000]),
    which: random.between(0, 11),
    byMs: random.pick([-24, -1, -0.01, 0.01, 1, 24]) * HOUR_MS,
  }));
}
