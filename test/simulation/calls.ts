// The agents' calls, each on the path of sidecar/pipeline.ts as far as money and records go: hold, decide, send, end,
// settle; and the fake upstream, which charges what the seed drew, whoever is there to hear of it.

import { type Amounts, NOTHING } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Hold } from '../../sidecar/state/leases/hold.ts';
import { exampleRecord } from '../sidecar/example-record.ts';
import type { SidecarHost } from './sidecar.ts';
import type { TrueCall, Truth } from './truth.ts';
import type { World } from './world/world.ts';

/** What the seed drew for one call. */
export interface Plan {
  readonly id: string;
  readonly task: string;
  readonly amounts: Amounts;
  /** What the upstream charges, possibly more than was held. */
  readonly cost: Amounts;
  readonly durationMs: number;
  /** How it ends, and with it what the sidecar believes it cost. */
  readonly ending: 'answered' | 'broken' | 'hung_up' | 'unsent';
}

export interface CallPorts {
  readonly world: World;
  readonly truth: Truth;
  readonly holdWaitMs: () => number;
  /** A refusal, to be held against the ledger. */
  readonly refused: (call: TrueCall, host: SidecarHost, refusal: Refusal) => void;
}

/** What a decision says of its call, should nobody hear how it ends; see sidecar/trail.ts. */
const LOST = { status: 'failure', errorType: 'outcome_unknown', usageSource: 'estimated' } as const;

/** Starts one call; nothing happens where the sidecar is down. */
export function makeCall(plan: Plan, host: SidecarHost, ports: CallPorts): void {
  const { world, truth } = ports;
  const { sidecar } = host;
  if (!sidecar) return;
  const call: TrueCall = {
    id: plan.id,
    sidecar: host.machine.name,
    agent: host.agent,
    task: plan.task,
    amounts: plan.amounts,
    askedMs: world.nowMs(),
    leases: [],
    state: 'waiting',
    charged: NOTHING,
    used: plan.amounts,
    wroteMs: 0,
    forgotten: false,
    doubtful: false,
  };
  truth.calls.set(call.id, call);
  sidecar.inFlight += 1;
  watchWait(call, host, ports);
  void carry(plan, call, host, ports).finally(() => {
    sidecar.inFlight -= 1;
  });
}

async function carry(plan: Plan, call: TrueCall, host: SidecarHost, ports: CallPorts): Promise<void> {
  const { world, truth } = ports;
  const { leases, book, life, expiry } = host.sidecar!;
  const say = (what: string): void => world.note(host.machine.name, `${call.id} ${what}`);
  const record = (more: object) =>
    exampleRecord({
      callId: call.id,
      agent: call.agent,
      task: call.task,
      startedAtMs: life.clock.nowMs(),
      ...more,
    });

  let hold: Hold;
  try {
    hold = await leases.hold(call.agent, call.task, call.amounts);
  } catch (refusal) {
    if (!life.alive || !(refusal instanceof Refusal)) return;
    call.state = 'refused';
    say(`is refused: ${refusal.code} ${refusal.detail.reason ?? ''}`);
    ports.refused(call, host, refusal);
    end(NOTHING, false);
    return;
  }
  call.leases = hold.leases;
  call.state = 'held';
  for (const lease of expiry.over(hold.leases)) world.fail(`${call.id} holds of ${lease}, which is over`);
  say(`holds ${amountsText(call.amounts)} of ${hold.leases.join(' and ')}`);

  const held = call.amounts.nanodollars;
  let decided = false;
  try {
    const written = book.decide(
      record({ ...LOST, heldNanodollars: held, costNanodollars: held }),
      hold.leases,
      call.amounts,
    );
    decided = true;
    call.wroteMs = world.nowMs();
    await written;
  } catch {
    if (!life.alive) return;
    call.state = 'refused';
    say('is refused: the journal cannot be written');
    end(NOTHING, decided);
    hold.settle(NOTHING);
    return;
  }
  if (!life.alive) return;
  if (plan.ending === 'unsent') {
    say('is not sent');
    end(NOTHING, true);
    hold.settle(NOTHING);
    call.state = 'refused';
    return;
  }
  call.state = 'sent';
  truth.charge(call, plan.cost);
  await new Promise<void>((resolve) => void life.clock.after(plan.durationMs, resolve));
  const used = believed(plan);
  call.used = used;
  say(`${plan.ending}, used ${amountsText(used)}`);
  end(used, true);
  hold.settle(used);
  call.state = 'ended';

  function end(used: Amounts, wasDecided: boolean): void {
    call.wroteMs = world.nowMs();
    try {
      book.end(record({ costNanodollars: used.nanodollars }), {
        decided: wasDecided,
        leases: call.leases,
        used,
      });
    } catch (failure) {
      say(`has no record: ${String(failure)}`);
    }
  }
}

/** Never less than the upstream charged, but where that is more than was held and the answer did not say so. */
function believed({ ending, cost, amounts }: Plan): Amounts {
  return ending === 'answered' ? cost : amounts;
}

/** Nobody waits for longer than `hold_wait`, while the process runs. */
function watchWait(call: TrueCall, host: SidecarHost, { world, holdWaitMs }: CallPorts): void {
  const { life } = host.sidecar!;
  let ranMs = 0;
  const STEP_MS = 50;
  const look = (): void => {
    if (call.state !== 'waiting' || !life.alive) return;
    ranMs = life.paused ? 0 : ranMs + STEP_MS;
    if (ranMs > holdWaitMs() + 2 * STEP_MS) world.fail(`${call.id} waits for longer than hold_wait`);
    else world.after(STEP_MS, look);
  };
  world.after(STEP_MS, look);
}

export const amountsText = ({ nanodollars, tokens }: Amounts): string => `n$${nanodollars}+${tokens}t`;
