// However a call ends, its hold is given back exactly once and its record is written: also where the end itself fails.

import { expect, it } from 'vitest';
import { createLog } from '../../kit/log.ts';
import { createTurn } from '../../kit/turn.ts';
import { type Answer, type Credentialed, learn } from '../../sidecar/call.ts';
import { openTrail } from '../../sidecar/trail.ts';

const HELD = { nanodollars: 5n, tokens: 7n };

function trailWith(metered: () => never, noteOf: () => null = () => null) {
  const settled: unknown[] = [];
  const ended: unknown[] = [];
  const logged: string[] = [];
  const log = createLog('sidecar', (line) => logged.push(line));
  const turn = createTurn(log);
  const call = {
    id: 'c1',
    startedMonotonicMs: 0,
    startedAtMs: 0,
    method: 'POST',
    to: { kind: 'upstream', name: 'u' },
    path: '/',
    request: { headers: {} },
    policy: { config: { fleet: 'f', breakers: { slow: null } }, digest: 'd', prices: {} },
    price: {},
    held: HELD,
    hold: { leases: [], settle: (used: unknown) => settled.push(used) },
    permit: { report: () => undefined },
  } as unknown as Credentialed;
  const trail = openTrail(call, {
    book: { decide: async () => undefined, end: () => undefined },
    clock: { monotonicMs: () => 1, nowMs: () => 1 },
    turn,
    log,
    underWay: new Set(),
    deadLetters: { noteOf },
    ended: (record: unknown) => void ended.push(record),
  } as unknown as Parameters<typeof openTrail>[1]);
  trail.answering({ status: 200 } as Answer, metered);
  return { call, trail, turn, settled, ended, logged };
}

const unreadable = (): never => {
  throw new Error('no such answer');
};

it.each(['answered', 'hangUp'] as const)('%s, an answer that cannot be read costs the hold', (end) => {
  const { trail, turn, settled, ended, logged } = trailWith(unreadable);
  trail[end]();
  turn.finish();
  trail.hangUp();
  turn.finish();
  expect(settled).toEqual([HELD]);
  expect(ended).toMatchObject([{ status: 'failure', errorType: 'upstream_broken' }]);
  expect(logged.join()).toContain('call.answer_unreadable');
});

it('an ending that makes no dead letter of what it is costs what it costs, and is on record', () => {
  const { trail, turn, settled, ended, logged } = trailWith(unreadable, () => {
    throw new RangeError('Maximum call stack size exceeded');
  });
  trail.broken(null);
  turn.finish();
  expect([settled, ended.length]).toEqual([[HELD], 1]);
  expect(logged.join()).toContain('dead_letter.not_noted');
});

const ratedBy = (said: string[]) => ({
  correct: (tokens: number) => void said.push(`used ${tokens}`),
  giveBack: () => void said.push('given back'),
});

it('what was taken of a rate for an agent that had left is given back, and what was sent counts', () => {
  const late: string[] = [];
  const sent: string[] = [];
  const { call, trail, turn } = trailWith(unreadable);
  trail.hangUp();
  turn.finish();
  learn(call, { rated: ratedBy(late) }); // it had waited for money, and goes on to the next stage
  trail.abandon();
  turn.finish();
  const other = trailWith(unreadable);
  learn(other.call, { rated: ratedBy(sent) });
  other.trail.hangUp();
  other.trail.abandon();
  other.turn.finish();
  expect([late, sent]).toEqual([['given back'], ['used 7']]);
});
