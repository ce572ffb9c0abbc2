// The sidecar's side of the money against the real ledger: same SQL, same protocol, only the wire is left out.

import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../collector/control/database.ts';
import { createLedger, type Ledger } from '../../../collector/control/ledger.ts';
import { openRoster } from '../../../collector/control/roster.ts';
import type { LeaseRequest, LeaseResponse, Recall } from '../../../contract/budget.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import { NOTHING } from '../../../contract/money.ts';
import type { Refusal } from '../../../contract/refusals.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import type { Hold } from '../../../sidecar/state/leases/hold.ts';
import { createLeases, type Leases } from '../../../sidecar/state/leases/leases.ts';
import { copyPostgres } from '../../support/empty-stores.ts';
import { temporaryDirectory } from '../../support/processes.ts';

const DOLLAR = { nanodollars: 1_000_000_000n, tokens: 1n };
const AGENTS = Array.from({ length: 15 }, (_, i) => `agent-${i}`);
const YAML = `fleet: test
upstreams: { openai: { url: https://api.openai.com, speaks: openai } }
roles: { r: { allow: [llm openai/x] } }
money: { hold_wait: 1500ms, offline: $2 }
agents:
${AGENTS.map((name) => `  ${name}: { role: r, budgets: [$10/month], task_budgets: [$8] }`).join('\n')}
`;

let ledger: Ledger;
let close: () => Promise<void>;
const recalls: ((recall: Recall) => void)[] = [];
let reachable = true;
let next = 0;
let agent = '';

beforeAll(async () => {
  const { config } = await parseConfig([{ file: 'test.yaml', text: YAML }]);
  const directory = join(temporaryDirectory('ledger'), 'control');
  copyPostgres(directory);
  const database = await openDatabase({
    directory,
    log: silentLog,
  });
  const roster = await openRoster(database, systemClock);
  ledger = createLedger({
    database,
    config: () => config,
    clock: systemClock,
    roster,
    onRecall: (recall) => recalls.forEach((tell) => void tell(recall)),
  });
  close = () => database.close();
  // The first ask of a fresh database plans every statement; that is not what a call waits for here.
  const [first] = AGENTS.slice(-1) as [string];
  const leases = await sidecar('first');
  leases.force(first, 'task', DOLLAR).settle(NOTHING);
  await leases.told(first);
});
afterAll(() => close());
beforeEach(() => {
  agent = AGENTS[next++]!;
  reachable = true;
  recalls.length = 0;
});

async function sidecar(
  instance: string,
): Promise<Leases & { readonly asked: LeaseRequest[]; readonly forgotten: string[] }> {
  const { config } = await parseConfig([{ file: 'test.yaml', text: YAML }]);
  const asked: LeaseRequest[] = [];
  const forgotten: string[] = [];
  let drawn = 0;
  const leases = createLeases({
    instance,
    money: () => config.money,
    tasksAreLimited: () => true,
    clock: { ...systemClock, after: keptAlive },
    nonce: () => `${instance}-${drawn++}`,
    async ask(request): Promise<LeaseResponse> {
      asked.push(request);
      if (!reachable) throw new Error('away');
      return ledger.lease(request);
    },
    record: () => undefined,
    forget: (lease) => void forgotten.push(lease),
    unanswered: () => undefined,
  });
  recalls.push((recall) => recall.instance === instance && leases.recall(recall.lease));
  return Object.assign(leases, { asked, forgotten });
}

/** As the system clock, but a waiting test keeps the process. */
function keptAlive(delayMs: number, call: () => void): () => void {
  const timer = setTimeout(call, delayMs);
  return () => clearTimeout(timer);
}

async function hold(
  leases: Leases,
  task: string,
  count: number,
): Promise<{ held: Hold[]; refused: Refusal[] }> {
  const endings = await Promise.allSettled(
    Array.from({ length: count }, async () => leases.hold(agent, task, DOLLAR)),
  );
  return {
    held: endings.flatMap((ending) => (ending.status === 'fulfilled' ? [ending.value] : [])),
    refused: endings.flatMap((ending) => (ending.status === 'rejected' ? [ending.reason as Refusal] : [])),
  };
}

describe('holds', () => {
  it('are bounded by the task’s budget and by the agent’s, whichever is less', async () => {
    const leases = await sidecar('a');
    const one = await hold(leases, 'task-1', 20);
    expect(one.held).toHaveLength(8);
    const two = await hold(leases, 'task-2', 20);
    expect(two.held).toHaveLength(2);
    expect(new Set([...one.refused, ...two.refused].map(({ code }) => code))).toEqual(
      new Set(['over_budget']),
    );
    await leases.close();
  });

  it('that only calls in flight stand in the way of may be tried again; once posted they may not', async () => {
    const leases = await sidecar('a');
    const { held, refused } = await hold(leases, 'task', 9);
    expect(held).toHaveLength(8);
    expect(refused[0]?.mayRetry).toBe(true);
    for (const each of held) each.settle(DOLLAR);
    const after = await hold(leases, 'task', 1);
    expect(after.refused[0]?.mayRetry).toBe(false);
    expect(after.refused[0]?.detail.facts).toMatchObject({
      level: 'task',
      limit: '8000000000',
      spent: '8000000000',
    });
    await leases.close();
  });

  it('that wait behind another are told of it too, and not to come again where they could never fit', async () => {
    const leases = await sidecar('a');
    const { held } = await hold(leases, 'task', 8);
    const dear = { nanodollars: 9n * DOLLAR.nanodollars, tokens: 1n };
    const line = [DOLLAR, DOLLAR, dear].map(async (amounts) => leases.hold(agent, 'task', amounts));
    const told = (await Promise.allSettled(line)).map((ending) => (ending as PromiseRejectedResult).reason);
    expect(told.map(({ mayRetry, detail }: Refusal) => [mayRetry, detail.facts])).toEqual([
      [true, expect.objectContaining({ spent: '0', held: '8000000000', needed: '1000000000' })],
      [true, expect.objectContaining({ spent: '0', held: '9000000000', needed: '1000000000' })],
      [false, expect.objectContaining({ spent: '0', held: '9000000000', needed: '9000000000' })],
    ]);
    for (const each of held) each.settle(DOLLAR);
    await leases.close();
  });

  it('that no budget could ever pay are told all they need, beside what others hold', async () => {
    const leases = await sidecar('a');
    const small = await hold(leases, 'task', 1);
    small.held[0]!.settle(DOLLAR);
    const dear = { nanodollars: 20_000_000_000n, tokens: 1n };
    const refused = await Promise.resolve(leases.hold(agent, 'task', dear)).catch(
      (failure: Refusal) => failure,
    );
    expect((refused as Refusal).detail.facts).toMatchObject({
      spent: '1000000000',
      held: '2000000000', // put by for when the ledger is away
      needed: '20000000000',
    });
    await leases.close();
  });

  it('of tasks that the ledger opens nothing for leave nothing behind', async () => {
    const leases = await sidecar('a');
    const rich = await hold(leases, 'rich', 8);
    const more = await hold(leases, 'more', 2);
    for (const each of [...rich.held, ...more.held]) each.settle(DOLLAR);
    await leases.told(agent);
    for (const task of ['one', 'two', 'three']) expect((await hold(leases, task, 1)).held).toHaveLength(0);
    const tasks = [...leases.purses()].filter(({ scope }) => scope === 'task').map(({ task }) => task);
    expect(tasks).toEqual(['rich', 'more']);
    expect(leases.forgotten).toHaveLength(3);
  });

  it('that wait get what others give back', async () => {
    const leases = await sidecar('a');
    const { held } = await hold(leases, 'task', 8);
    const waiting = leases.hold(agent, 'task', DOLLAR);
    held[0]!.settle(NOTHING);
    await expect(Promise.resolve(waiting)).resolves.toMatchObject({ amounts: DOLLAR });
    await leases.close();
  });

  it('of two sidecars share one budget exactly: unspent slices are called back', async () => {
    const [a, b] = [await sidecar('a'), await sidecar('b')];
    const [first, second] = await Promise.all([hold(a, 'task-a', 20), hold(b, 'task-b', 20)]);
    expect(first.held.length + second.held.length).toBe(10);
    await Promise.all([a.close(), b.close()]);
  });

  it('that take all of a slice leave nothing to give back: a recall of it is not answered', async () => {
    const leases = await sidecar('a');
    const { held } = await hold(leases, 'task', 2);
    const recalled = async (): Promise<number> => {
      const before = leases.asked.length;
      leases.recall([...leases.purses()].find(({ scope }) => scope === 'agent')!.lease!);
      await leases.told(agent);
      return leases.asked.slice(before).filter(({ asks }) => asks.some(({ release }) => release)).length;
    };
    expect(await recalled()).toBe(1);
    expect(await recalled()).toBe(0);
    held[0]!.settle(NOTHING);
    expect(await recalled()).toBe(1);
    await leases.close();
  });

  it('with a live lease cost no round trip', async () => {
    const leases = await sidecar('a');
    (await leases.hold(agent, 'task', { nanodollars: 1n, tokens: 1n })).settle(NOTHING);
    const before = leases.asked.length;
    for (let i = 0; i < 1_000; i++) {
      const held = leases.hold(agent, 'task', { nanodollars: 1n, tokens: 1n });
      expect(held).not.toBeInstanceOf(Promise);
      (held as Hold).settle({ nanodollars: 1n, tokens: 1n });
    }
    expect(leases.asked).toHaveLength(before);
    await leases.close();
  });

  it('are settled once', async () => {
    const leases = await sidecar('a');
    const held = await leases.hold(agent, 'task', DOLLAR);
    held.settle(DOLLAR);
    expect(() => held.settle(DOLLAR)).toThrow('settled once');
    await leases.close();
  });

  it('BUD-20: go on within the lease while the ledger is away, and are refused beyond it', async () => {
    const leases = await sidecar('a');
    (await leases.hold(agent, 'task', DOLLAR)).settle(DOLLAR);
    reachable = false;
    const { held, refused } = await hold(leases, 'task', 10);
    expect(held.length).toBeGreaterThan(0);
    expect(held.length).toBeLessThan(9);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['ledger_unreachable']));
    expect(leases.unreachable()).toBe(true);
    reachable = true;
    for (const each of held) each.settle(DOLLAR);
    await leases.close();
  });

  it('draw on the offline slice once the lease is used up and the ledger away', async () => {
    const leases = await sidecar('a');
    (await leases.hold(agent, 'task', { nanodollars: 1n, tokens: 1n })).settle(NOTHING);
    const [main, offline] = [...leases.purses()];
    expect(offline?.scope).toBe('offline');
    reachable = false;
    const dollars = (purse: typeof main) => Number((purse?.granted.nanodollars ?? 0n) / DOLLAR.nanodollars);
    const { held } = await hold(leases, 'task', 10);
    expect(dollars(offline)).toBeGreaterThan(0);
    expect(held.length).toBe(Math.min(4, dollars(main) + dollars(offline)));
    for (const each of held) each.settle(NOTHING);
    reachable = true;
    await leases.close();
  });

  it('are refused with ledger_unreachable when there never was a ledger', async () => {
    reachable = false;
    const leases = await sidecar('a');
    const { refused } = await hold(leases, 'task', 2);
    expect(refused.map(({ code }) => code)).toEqual(['ledger_unreachable', 'ledger_unreachable']);
    await leases.close();
  });

  it('are forced in observe mode, and the ledger learns of them', async () => {
    const leases = await sidecar('a');
    for (let i = 0; i < 12; i++) leases.force(agent, 'task', DOLLAR).settle(DOLLAR);
    await expect
      .poll(async () => {
        const line = (await ledger.budgets()).find(({ level, name }) => level === 'agent' && name === agent);
        return BigInt(line?.posted ?? 0);
      })
      .toBe(12n * DOLLAR.nanodollars);
    await leases.close();
  });

  it('that are forced while the ledger is being asked open their task all the same, before its end is told', async () => {
    const leases = await sidecar('a');
    leases.force(agent, 'first', DOLLAR).settle(DOLLAR);
    leases.force(agent, 'second', DOLLAR).settle(DOLLAR);
    await leases.told(agent);
    for (const task of ['first', 'second']) {
      expect(await ledger.endTask(task, { agent, state: 'done' }, 'test'), task).toBe(true);
    }
    await leases.close();
  });
});
