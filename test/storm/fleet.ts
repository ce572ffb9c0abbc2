// A fleet in a storm, on a clock turned by hand: agents whose clients retry as the official SDKs do (or not at all), each
// behind what its sidecar decides by (admission, retry budget, what a failed answer tells its client), and one provider
// that answers 529 for a while. Only the wire, the provider and the agents are models.

import { NOTHING } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';
import { boundClient } from '../../sidecar/attempts/client-budget.ts';
import { createRetryBudget, type RetryBudget } from '../../sidecar/attempts/retry-budget.ts';
import { secondsToTell } from '../../sidecar/attempts/wait.ts';
import type { Answered, Reserved } from '../../sidecar/call.ts';
import { outcomeOf } from '../../sidecar/outcome.ts';
import { type Admission, breakCircuit } from '../../sidecar/stages/break-circuit.ts';
import { createCircuits } from '../../sidecar/state/circuits.ts';
import { createRates } from '../../sidecar/state/rates.ts';
import { createThrottles } from '../../sidecar/state/throttles.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';

export interface Storm {
  readonly seed: number;
  readonly agents: number;
  /** Every second one has a client that retries; with false nothing stands between agents and provider. */
  readonly sidecars: boolean;
  readonly calmMs: number;
  readonly stormMs: number;
  readonly afterMs: number;
}

export interface Curve {
  /** Per second: calls that agents began, requests that reached the provider, calls that were answered well. */
  readonly begun: number[];
  readonly asked: number[];
  readonly served: number[];
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const STEP_MS = 100;
const LATENCY_MS = 1_000;
const THINKING_MS = { from: 1_000, to: 3_000 };
/** The provider is back, but no more than this a second, or it fails again. */
const CAPACITY = 12;
const RULES = {
  windowMs: 600_000,
  failureRate: 0.5,
  callsMin: 20,
  cooldownMs: 30_000,
  cooldownMsMax: 600_000,
  trials: 3,
  slow: null,
};
const CONFIG = { retries: { waitMs: 5_000 }, money: { holdWaitMs: 2_000 } };

export async function ride(storm: Storm): Promise<Curve> {
  const clock = manualClock();
  const random = drawing(storm.seed);
  const totalMs = storm.calmMs + storm.stormMs + storm.afterMs;
  const curve = emptyCurve(totalMs / 1000);
  const second = (): number => Math.min(Math.floor(clock.monotonicMs() / 1000), curve.asked.length - 1);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

  const provider = async (): Promise<Reply> => {
    const now = clock.monotonicMs();
    curve.asked[second()]! += 1;
    if (now >= storm.calmMs && now < storm.calmMs + storm.stormMs) return OVERLOADED;
    if (now >= storm.calmMs && curve.asked[second()]! > CAPACITY) return OVERLOADED;
    await pause(LATENCY_MS);
    return { status: 200, headers: {} };
  };

  const agent = async (index: number): Promise<void> => {
    const retries = index % 2 === 0 ? 2 : 0;
    const send = storm.sidecars ? behindSidecar(`agent-${index}`, provider, clock, random) : provider;
    await pause(random() * 3_000);
    while (clock.monotonicMs() < totalMs) {
      curve.begun[second()]! += 1;
      const reply = await asTheSdkDoes(send, retries, pause, random);
      if (reply.status === 200) curve.served[second()]! += 1;
      await pause(THINKING_MS.from + random() * (THINKING_MS.to - THINKING_MS.from));
    }
  };

  for (let index = 0; index < storm.agents; index++) void agent(index);
  while (clock.monotonicMs() < totalMs) {
    clock.advance(STEP_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return curve;
}

const OVERLOADED: Reply = { status: 529, headers: {} };

/** openai-node and anthropic-sdk-typescript, `retryRequest` and `shouldRetry`: what decides, and how long they wait. */
async function asTheSdkDoes(
  send: (headers: Readonly<Record<string, string>>) => Promise<Reply>,
  retriesMax: number,
  pause: (ms: number) => Promise<void>,
  random: () => number,
): Promise<Reply> {
  for (let tried = 0; ; tried++) {
    const reply = await send(retriesMax > 0 ? { 'x-stainless-retry-count': String(tried) } : {});
    if (tried >= retriesMax || !invites(reply)) return reply;
    const told = Number(reply.headers['retry-after'] ?? 0);
    const backoff = Math.min(0.5 * 2 ** tried, 8) * (1 - 0.25 * random());
    await pause(1000 * (told > 0 && told <= 60 ? told : backoff));
  }
}

function invites({ status, headers }: Reply): boolean {
  if (headers['x-should-retry'] !== undefined) return headers['x-should-retry'] === 'true';
  return status >= 500 || status === 429;
}

function behindSidecar(
  name: string,
  provider: () => Promise<Reply>,
  clock: ManualClock,
  random: () => number,
) {
  const budget = createRetryBudget(clock);
  const admission: Admission = {
    circuits: createCircuits({ rules: () => RULES, clock, random }),
    throttles: createThrottles({ clock, random }),
    rates: createRates(clock),
  };
  return async (headers: Readonly<Record<string, string>>): Promise<Reply> => {
    try {
      const admitted = await breakCircuit(reservedBy(name, headers), admission);
      budget.called();
      const reply = await provider();
      admitted.passage?.ended(reply.status < 400);
      const errorType = reply.status < 400 ? '' : 'overloaded_error';
      const ended = {
        ending: 'answered',
        refusal: '',
        status: reply.status,
        errorType,
        late: false,
      } as const;
      admitted.permit.report(outcomeOf(ended));
      return reply.status < 400 ? reply : asToldOn(reply, admitted as unknown as Answered, budget, random);
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      return refused(failure);
    }
  };
}

/** What the agent's client is told of a failed answer: how long to wait, and whether to try at all. */
function asToldOn(reply: Reply, call: Answered, budget: RetryBudget, random: () => number): Reply {
  const seconds = secondsToTell(reply.status, random);
  const headers = ['retry-after', String(seconds)];
  const answer = { status: reply.status, headers, header: () => undefined };
  Object.assign(call, { answer });
  boundClient(call, budget);
  const told = call.answer.headers;
  return { status: reply.status, headers: Object.fromEntries(pairs(told)) };
}

const refused = ({ kind, mayRetry, detail }: Refusal): Reply => ({
  status: kind.status,
  headers: {
    'x-should-retry': String(mayRetry),
    'retry-after': String(detail.retryAfterSeconds ?? 0),
  },
});

const reservedBy = (name: string, headers: Readonly<Record<string, string>>): Reserved =>
  ({
    agent: { name, mode: 'enforce', tokenRates: [], entry: { credentials: new Map() } },
    upstream: { name: 'anthropic', credential: 'key', rates: [] },
    description: { model: 'claude-haiku-4-5', acts: [] },
    policy: { config: CONFIG, digest: 'p' },
    request: { headers },
    held: NOTHING,
  }) as unknown as Reserved;

function* pairs(flat: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i]!, flat[i + 1]!];
}

function emptyCurve(seconds: number): Curve {
  const zeros = (): number[] => new Array<number>(seconds).fill(0);
  return { begun: zeros(), asked: zeros(), served: zeros() };
}

/** Between 0 and 1, the same for the same seed (Park and Miller's generator). */
function drawing(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
