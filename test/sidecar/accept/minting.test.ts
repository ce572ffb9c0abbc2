// How many new hosts an agent may have intercepted, and how many handshakes run at a time.

import { expect, it } from 'vitest';
import { createMinting } from '../../../sidecar/accept/minting.ts';

const refused = expect.objectContaining({ code: 'rate_limited', mayRetry: true });
const thrown = (act: () => void): unknown => {
  try {
    act();
  } catch (failure) {
    return failure;
  }
  return undefined;
};

it('counts hosts not seen of late, by agent and second', () => {
  let now = 5_000;
  const minting = createMinting(() => now);
  const begin = (agent: string, host: string) => thrown(() => minting.begin(agent, host));
  for (let i = 0; i < 50; i++) expect(begin('a', `h${i}.example`)).toBeUndefined();
  expect(begin('a', 'h50.example')).toEqual(refused);
  expect(begin('a', 'h7.example')).toBeUndefined();
  expect(begin('b', 'h50.example')).toBeUndefined();
  now += 1_000;
  expect(begin('a', 'h51.example')).toBeUndefined();
});

it('DOS-12: forgets the hosts longest unseen, however many there are', () => {
  let now = 0;
  const minting = createMinting(() => now);
  for (let i = 0; i < 10_000; i++) {
    now += 1_000;
    minting.begin('a', `h${i}.example`);
    minting.done();
  }
  now += 1_000;
  for (let i = 0; i < 50; i++) minting.begin('a', `h${i}.example`);
  expect(thrown(() => minting.begin('a', 'h60.example'))).toEqual(refused);
  expect(thrown(() => minting.begin('a', 'h9999.example'))).toBeUndefined();
});

it('has a limit of handshakes under way, and takes more when one is done', () => {
  const minting = createMinting(() => 0);
  for (let i = 0; i < 512; i++) minting.begin('a', 'h.example');
  expect(thrown(() => minting.begin('b', 'h.example'))).toEqual(refused);
  minting.done();
  expect(thrown(() => minting.begin('b', 'h.example'))).toBeUndefined();
});
