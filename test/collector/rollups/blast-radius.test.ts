// Who is reached from an agent: whom it asked and who asked it, from then on, with the fewest steps.

import { expect, test } from 'vitest';
import { reachedFrom } from '../../../collector/rollups/blast-radius.ts';

const user = (agent: string, first = 100, last = 200) => ({ agent, calls: 1, first, last });
const edge = (
  by: string,
  how: 'asked' | 'was asked by' | 'shared a trace with',
  agent: string,
  first = 100,
  last = 200,
) => ({ agent, by, how, calls: 1, first, last });
const ways = (users: Parameters<typeof reachedFrom>[0], edges: Parameters<typeof reachedFrom>[1]) =>
  reachedFrom(users, edges, { how: 'itself', by: 'agent/a' }).map(({ agent, steps, how, by }) =>
    [agent, steps, how, by].join(' '),
  );

test('over several steps, with the shortest way, an asking before a shared trace', () => {
  const edges = [
    edge('a', 'shared a trace with', 'b'),
    edge('a', 'was asked by', 'b'),
    edge('b', 'was asked by', 'c'),
    edge('a', 'asked', 'd'),
    edge('d', 'asked', 'c'),
    edge('c', 'asked', 'a'),
  ];
  expect(ways([user('a')], edges)).toEqual([
    'a 0 itself agent/a',
    'b 1 was asked by a',
    'd 1 asked a',
    'c 2 was asked by b',
  ]);
});

test('what was asked before an agent was reached carried nothing', () => {
  const edges = [
    edge('a', 'asked', 'early', 10, 90),
    edge('a', 'asked', 'b', 50, 300),
    edge('b', 'asked', 'c', 0, 99),
  ];
  const found = reachedFrom([user('a')], edges, { how: 'itself', by: 'agent/a' });
  expect(found.map(({ agent }) => agent)).toEqual(['a', 'b']);
  expect(found[1]!.since).toBe(new Date(100).toISOString());
});

test('a ring ends', () => {
  const edges = [edge('a', 'asked', 'b'), edge('b', 'asked', 'a'), edge('b', 'asked', 'b')];
  expect(ways([user('a')], edges)).toHaveLength(2);
});
