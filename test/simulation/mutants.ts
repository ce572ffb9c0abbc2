// Faults put into the production code on purpose: what a sidecar or a ledger would be that got one thing wrong. Each
// says how the checkers must notice; a simulation that misses one of them proves nothing.

import type { Database } from '../../collector/control/database.ts';
import type { LeaseRequest, LeaseResponse } from '../../contract/budget.ts';
import { NOTHING, plus } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';
import { type LeaseEdges, type LeasesOptions, openLeases } from '../../sidecar/open-leases.ts';
import type { Hold } from '../../sidecar/state/leases/hold.ts';
import type { Leases } from '../../sidecar/state/leases/leases.ts';

export interface Mutant {
  readonly name: string;
  /** What a finding of it says. */
  readonly caught: RegExp;
  /** Put in the place of the production function. */
  readonly leasesOf?: typeof openLeases;
  /** The body of the ledger's function that goes wrong, from the one in force. */
  readonly sql?: { readonly function: string; readonly change: (definition: string) => string };
}

/** Every hold that is given out is changed on its way. */
const withHolds =
  (change: (hold: Hold) => Hold) =>
  (options: LeasesOptions, edges: LeaseEdges): Leases => {
    const leases = openLeases(options, edges);
    return {
      ...leases,
      hold: async (agent, task, amounts) => change(await leases.hold(agent, task, amounts)),
    };
  };

/** What is said to the ledger is changed on its way. */
const withAsks =
  (change: (request: LeaseRequest) => LeaseRequest, answered = (response: LeaseResponse) => response) =>
  (options: LeasesOptions, edges: LeaseEdges): Leases =>
    openLeases(options, {
      ...edges,
      control: { ask: async (request) => answered(await edges.control.ask(change(request))) },
    });

const replaced = (from: string, to: string) => (definition: string) => {
  if (!definition.includes(from)) throw new Error(`the ledger’s function no longer says: ${from}`);
  return definition.replace(from, to);
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a sidecar that does not say what it spent',
    caught: /truly spent|overspent/,
    leasesOf: withHolds((hold) => ({ ...hold, settle: () => hold.settle(NOTHING) })),
  },
  {
    name: 'a sidecar that forgets to settle what was not sent',
    caught: /nobody/,
    leasesOf: withHolds((hold) => ({
      ...hold,
      settle: (used) => (used === NOTHING ? undefined : hold.settle(used)),
    })),
  },
  {
    name: 'a sidecar that gives back what its calls hold',
    caught: /truly spent|overspent/,
    leasesOf: withAsks((request) => ({
      ...request,
      asks: request.asks.map((ask) => (ask.release ? { ...ask, held: ZERO, granted: ask.posted } : ask)),
    })),
  },
  {
    name: 'a sidecar that believes it was granted more',
    caught: /truly spent|overspent/,
    leasesOf: withAsks(
      (request) => request,
      (response) => ({
        answers: response.answers.map((answer) => ({ ...answer, granted: doubled(answer.granted) })),
      }),
    ),
  },
  {
    name: 'a sidecar that after a crash does not know its leases',
    caught: /nobody/,
    leasesOf: (options, edges) => {
      edges.recovered.leases.clear();
      return openLeases(options, edges);
    },
  },
  {
    name: 'a sidecar that after a crash forgets the calls without an end',
    caught: /no record|truly spent/,
    leasesOf: (options, edges) => {
      edges.recovered.open.clear();
      return openLeases(options, edges);
    },
  },
  {
    name: 'a sidecar that ignores that its lease is over',
    caught: /which is over/,
    leasesOf: withAsks(
      (request) => request,
      (response) => ({
        answers: response.answers.map((answer) => ({ ...answer, ttlMs: 10 * answer.ttlMs })),
      }),
    ),
  },
  {
    name: 'a sidecar that posts what a call cost twice',
    caught: /are posted, its calls come to/,
    leasesOf: (options, edges) => {
      const leases = openLeases(options, edges);
      const again = (hold: Hold): Hold => ({
        ...hold,
        settle(used) {
          for (const purse of leases.purses())
            if (hold.leases.includes(purse.lease ?? '')) purse.posted = plus(purse.posted, used);
          hold.settle(used);
        },
      });
      return { ...leases, hold: async (...call) => again(await leases.hold(...call)) };
    },
  },
  {
    name: 'a sidecar that posts nothing for a call whose end it lost',
    caught: /its calls’ records come to/,
    leasesOf: (options, edges) => {
      const { open } = edges.recovered;
      for (const [id, call] of open) open.set(id, { ...call, amounts: NOTHING });
      return openLeases(options, edges);
    },
  },
  {
    name: 'a sidecar that bids every call it refuses to come again',
    caught: /waiting is another matter/,
    leasesOf: (options, edges) => {
      const leases = openLeases(options, edges);
      const again = (refusal: Refusal): never => {
        throw new Refusal(refusal.code, refusal.message, { ...refusal.detail, mayRetry: true });
      };
      return { ...leases, hold: async (...call) => Promise.resolve(leases.hold(...call)).catch(again) };
    },
  },
  {
    name: 'a sidecar that hears no recall',
    caught: /nobody may have it/,
    leasesOf: (options, edges) => ({ ...openLeases(options, edges), recall: () => undefined }),
  },
  {
    name: 'a ledger that grants what it does not have',
    caught: /refuse a step|overspent/,
    sql: {
      function: 'plan_draw',
      change: replaced('a.spend_limit - a.posted - a.outstanding', 'a.spend_limit - a.posted'),
    },
  },
];

const ZERO = { nanodollars: '0', tokens: '0' };
const twice = (text: string | null): string | null => text && (2n * BigInt(text)).toString();
const doubled = (granted: { nanodollars: string | null; tokens: string | null }) => ({
  nanodollars: twice(granted.nanodollars),
  tokens: twice(granted.tokens),
});

/** Puts the ledger's wrong function in place; returns how to put the right one back. */
export async function mutate(database: Database, { sql }: Mutant): Promise<() => Promise<void>> {
  if (!sql) return () => Promise.resolve();
  const [row] = await database.query<{ definition: string }>(
    'select pg_get_functiondef(oid) as definition from pg_proc where proname = $1 order by oid desc limit 1',
    [sql.function],
  );
  const { definition } = row!;
  await database.query(sql.change(definition));
  return async () => void (await database.query(definition));
}
