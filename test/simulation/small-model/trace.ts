// A random walk through the small model whose every word at the ledger is also said to the SQL: both must answer alike and
// hold alike, after each step.

import type { Database } from '../../../collector/control/database.ts';
import type { LeaseAsk } from '../../../contract/budget.ts';
import type { Random } from '../world/random.ts';
import { type Answer, type Around, LEASE_LIFE, leaseAsk, pass, type Shelf, writeOff } from './ledger.ts';
import { freshSide, type Side, stepsOf } from './side.ts';
import { pass as passAtSidecar } from './sidecar.ts';

const LIMIT = 3;
const TICK_MS = 1_000;
const START_MS = Date.UTC(2026, 2, 2);

/** What the SQL and the model said differently, empty when nothing. `name`: a budget no walk had before. */
export async function walk(
  database: Database,
  name: string,
  random: Random,
  length: number,
): Promise<{ readonly words: number; readonly differences: readonly string[] }> {
  const sides: [Side, Side] = [freshSide(), freshSide()];
  const differences: string[] = [];
  let nowMs = START_MS;
  let words = 0;

  const step = async (ask: LeaseAsk, who: number): Promise<unknown> => {
    const path = [
      {
        ...{ level: 'fleet', name, unit: 'nanodollars', window: 'month' },
        starts_at: START_MS,
        limit: LIMIT,
      },
    ];
    const known = {
      ...{ agent: name, instance: `i${who}`, task: '', at: nowMs, expires_at: nowMs + LEASE_LIFE * TICK_MS },
      ...{ path, path_digest: '', live: { fleet: 1 }, window_ends_at: null, grace_path: [] },
    };
    const told = {
      ...ask,
      lease: ask.lease && `${name}-${who}-${ask.lease}`,
      fresh: `${name}-${who}-L${ask.nonce}`,
    };
    const [row] = await database.query<{ answer: SqlAnswer }>('select budget_step($1::jsonb) as answer', [
      JSON.stringify({ ...told, ...known }),
    ]);
    return plain(row!.answer, nowMs);
  };

  const deliver = async (who: 0 | 1, asks: readonly LeaseAsk[]): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (const ask of asks) {
      const other = sides[1 - who]!.shelf;
      const around: Around = { limit: LIMIT, posted: other.posted, outstanding: other.outstanding, live: 1 };
      const [shelf, answer] = leaseAsk(sides[who].shelf, ask, around);
      sides[who] = { ...sides[who], shelf };
      answers.push(answer);
      words += 1;
      compare(`answer to ${JSON.stringify(ask)}`, plainOf(answer), await step(ask, who));
    }
    return answers;
  };

  const compare = (what: string, model: unknown, sql: unknown): void => {
    if (JSON.stringify(model) !== JSON.stringify(sql))
      differences.push(`${what}: the model says ${JSON.stringify(model)}, the SQL ${JSON.stringify(sql)}`);
  };

  for (let i = 0; i < length && differences.length === 0; i++) {
    const who = random.pick([0, 1] as const);
    const { sidecar, shelf, stray } = sides[who];
    const kind = random.between(0, 9);
    if (kind === 0) {
      nowMs += TICK_MS;
      for (const each of [0, 1] as const)
        sides[each] = {
          ...sides[each],
          sidecar: passAtSidecar(sides[each].sidecar),
          shelf: pass(sides[each].shelf),
        };
    } else if (kind === 1) {
      for (const { id, state, expiresIn } of shelf.leases)
        if (state === 'open' && expiresIn <= 0)
          await database.query('select * from write_off($1, null, $2, false, $3, $4)', [
            `${name}-${who}-${id}`,
            'gone',
            'anna',
            nowMs,
          ]);
      sides[who] = { ...sides[who], shelf: writeOff(shelf) };
    } else if (kind < 6 && sidecar.waitsFor && !sidecar.answers) {
      const answers = await deliver(who, sidecar.waitsFor.asks);
      sides[who] = { ...sides[who], sidecar: { ...sidecar, answers } };
    } else if (kind === 6 && stray.length > 0) await deliver(who, random.pick(stray));
    else {
      const own = stepsOf(sides[who], {}).filter(([by]) => by !== 'is written off');
      if (own.length > 0) sides[who] = random.pick(own)[1];
    }
    compare('account', accountOf(sides), await account());
  }
  return { words, differences };

  async function account(): Promise<unknown> {
    const [row] = await database.query<{ posted: string; outstanding: string }>(
      'select posted::text, outstanding::text from accounts where name = $1',
      [name],
    );
    return [Number(row?.posted ?? 0), Number(row?.outstanding ?? 0)];
  }
}

interface SqlAnswer {
  readonly outcome: string;
  readonly lease?: string | null;
  readonly granted?: { readonly nanodollars: string };
  readonly expires_at?: number;
}

const plain = ({ outcome, lease, granted, expires_at }: SqlAnswer, nowMs: number): unknown =>
  outcome === 'stale' || !lease
    ? [outcome]
    : [outcome, Number(granted?.nanodollars), Math.max(0, (expires_at ?? 0) - nowMs) / TICK_MS];

const plainOf = ({ outcome, lease, granted, ttl }: Answer): unknown =>
  lease === null ? [outcome] : [outcome, granted, ttl];

const accountOf = ([one, other]: readonly { readonly shelf: Shelf }[]): unknown => [
  one!.shelf.posted + other!.shelf.posted,
  one!.shelf.outstanding + other!.shelf.outstanding,
];
