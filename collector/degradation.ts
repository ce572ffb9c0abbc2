// Watches for agents that degrade and flags each once; where the config says so, holds it apart for a while. A rule never
// holds the same agent twice in a day, nor more than a tenth of the fleet: from there on a person decides.

import type { Config, QuarantineRules } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { Degradation, Degradations } from './control/degradations.ts';
import type { Quarantines } from './control/quarantines.ts';
import { FAILURES, type Finding, LOOP, TOKENS } from './rollups/degradation-sql.ts';

export interface DegradationWatch {
  /** Looks once; rejects with what the store or the database throws. */
  round(): Promise<void>;
  close(): void;
}

export interface DegradationOptions {
  ask<T>(sql: string, parameters: Record<string, unknown>): Promise<T[]>;
  readonly degradations: Degradations;
  readonly quarantines: Quarantines;
  /** The one in force. */
  config(): Config;
  /** How many agents live. */
  agents(): number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What became of a finding; `escalated`: a rule might not hold it apart, a person has to look. */
type Action = 'flagged' | 'quarantined' | 'escalated';

const LOOK_EVERY_MS = 10_000;
const DAY_MS = 86_400_000;
const HISTORY_MS = 7 * DAY_MS;
const SHARE_MAX = 0.1;
const QUESTIONS: Readonly<Record<Degradation, string>> = { failures: FAILURES, loop: LOOP, tokens: TOKENS };

export function startDegradationWatch(options: DegradationOptions): DegradationWatch {
  const { ask, degradations, quarantines, config, agents, clock, log } = options;
  let cancel: () => void = () => undefined;
  let closed = false;

  const mayHold = async (agent: string): Promise<boolean> => {
    const held = quarantines.lines().filter(({ by }) => by === 'rule').length;
    if (held >= Math.max(1, Math.floor(agents() * SHARE_MAX))) return false;
    return degradations.claim(agent, DAY_MS);
  };

  const act = async (agent: string, kind: Degradation, evidence: string): Promise<Action> => {
    const { action, forMs } = config().quarantine;
    if (action === 'flag') return 'flagged';
    if (!(await mayHold(agent))) return 'escalated';
    const order = { subject: `agent/${agent}`, reason: `It ${evidence}.`, for_ms: forMs };
    return (await quarantines.set(order, `degraded.${kind}`, 'rule')) ? 'quarantined' : 'flagged';
  };

  const find = async (kind: Degradation, rules: QuarantineRules): Promise<Finding[]> =>
    ask<Finding>(QUESTIONS[kind], parametersOf(rules, clock.nowMs()));

  const isHeld = (agent: string): boolean =>
    quarantines.lines().some(({ subject }) => subject === `agent/${agent}`);

  const round = async (): Promise<void> => {
    const known = await degradations.known();
    for (const kind of asked(config().quarantine)) {
      const found = await find(kind, config().quarantine);
      for (const { agent, evidence } of found) {
        if (isHeld(agent) || known.some((each) => each.agent === agent && each.kind === kind)) continue;
        const action = await act(agent, kind, evidence);
        await degradations.note(agent, kind, `It ${evidence}.`, { kind, action });
        log.warn('agent.degraded', { agent, kind, evidence, action });
      }
      const over = known.filter(
        (each) => each.kind === kind && !found.some(({ agent }) => agent === each.agent),
      );
      for (const { agent } of over) await degradations.end(agent, kind);
    }
  };

  const look = async (): Promise<void> => {
    try {
      await round();
    } catch (failure) {
      log.info('degradation.not_looked', { failure: sentenceOf(failure) });
    }
    if (!closed) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  cancel = clock.after(LOOK_EVERY_MS, () => void look());

  return {
    round,
    close() {
      closed = true;
      cancel();
    },
  };
}

function asked({
  failureRate,
  sameCalls,
  tokensPerMinute,
  tokensTimes,
}: QuarantineRules): readonly Degradation[] {
  return [
    ...(failureRate === null ? [] : (['failures'] as const)),
    ...(sameCalls === null ? [] : (['loop'] as const)),
    ...(tokensPerMinute === null && tokensTimes === null ? [] : (['tokens'] as const)),
  ];
}

function parametersOf(rules: QuarantineRules, nowMs: number): Record<string, unknown> {
  const since = nowMs - rules.windowMs;
  return {
    since,
    history: since - HISTORY_MS,
    minutes: rules.windowMs / 60_000,
    min_calls: rules.callsMin,
    failure_rate: rules.failureRate ?? 1,
    same_calls: rules.sameCalls ?? 0,
    tokens_per_minute: rules.tokensPerMinute ?? 0,
    tokens_times: rules.tokensTimes ?? Number.MAX_SAFE_INTEGER,
  };
}
