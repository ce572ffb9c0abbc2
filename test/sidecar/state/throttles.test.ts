import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import type { Clock } from '../../../kit/clock.ts';
import {
  createThrottles,
  type Limited,
  type Passage,
  SPENT_MS,
  type Throttles,
  WAIT_MS_MAX,
} from '../../../sidecar/state/throttles.ts';
import { manualClock } from '../../support/manual-clock.ts';

const MINI: Limited = { credential: 'key', upstream: 'openai', model: 'gpt-5-mini', policy: 'p1' };
const HOLD_WAIT_MS = 2_000;

function setUp(random = 0) {
  const clock = manualClock();
  return { clock, throttles: createThrottles({ clock, random: () => random }) };
}

const told = (waitMs: number | null, spent = false) => ({ waitMs, spent });

async function refusalOf(throttles: Throttles, of = MINI): Promise<Refusal> {
  const failure = await throttles.pass(of, HOLD_WAIT_MS).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(failure).toBeInstanceOf(Refusal);
  return failure as Refusal;
}

/** Passages that were granted so far, in order. */
function ask(throttles: Throttles, count: number): (Passage | null)[] {
  const granted: (Passage | null)[] = [];
  for (let i = 0; i < count; i++) {
    throttles.pass(MINI, HOLD_WAIT_MS).then(
      (passage) => granted.push(passage),
      () => undefined,
    );
  }
  return granted;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a throttle', () => {
  it('is quiet, and asks nothing of a call, while nobody was sent away', async () => {
    const { throttles } = setUp();
    expect(throttles.quiet).toBe(true);
    expect(await throttles.pass(MINI, HOLD_WAIT_MS)).toBeNull();
  });

  it('CB-11: refuses for as long as it was told, and nobody else', async () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(5_000));
    const refusal = await refusalOf(throttles);
    expect(refusal.code).toBe('rate_limited');
    expect(refusal.mayRetry).toBe(true);
    expect(refusal.detail).toMatchObject({ reason: 'upstream_throttled', retryAfterSeconds: 5 });
    expect(await throttles.pass({ ...MINI, model: 'gpt-5' }, 0)).toBeNull();
    expect(await throttles.pass({ ...MINI, credential: 'another' }, 0)).toBeNull();
    clock.advance(5_000);
    expect(throttles.stopping(MINI)).toBeNull();
  });

  it('CB-11: a short wait is waited for, and then one goes first', async () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(1_500));
    const granted = ask(throttles, 50);
    clock.advance(1_499);
    await settled();
    expect(granted).toHaveLength(0);
    clock.advance(1);
    await settled();
    expect(granted).toHaveLength(1);
  });

  it('lets who waits go though the timer rings early', async () => {
    const clock = manualClock();
    const early: Clock = {
      ...clock,
      after: (ms, call) => clock.after(Math.max(1, Math.trunc(ms) - 2), call),
    };
    const throttles = createThrottles({ clock: early, random: () => 0 });
    throttles.heard(MINI, told(1_500.7));
    const granted = ask(throttles, 1);
    clock.advance(1_503);
    await settled();
    expect(granted).toHaveLength(1);
  });

  it('is quiet again when nobody asked for long after, however often it was said', () => {
    let timers = 0;
    const clock = manualClock();
    const counting: Clock = {
      ...clock,
      after(ms, call) {
        timers += 1;
        const cancel = clock.after(ms, () => {
          timers -= 1;
          call();
        });
        return () => {
          timers -= 1;
          cancel();
        };
      },
    };
    const throttles = createThrottles({ clock: counting, random: () => 0 });
    for (let i = 0; i < 100; i++) throttles.heard(MINI, told(5_000));
    expect(timers).toBe(1);
    throttles.heard({ ...MINI, credential: 'another' }, told(null, true));
    clock.advance(5_000 + WAIT_MS_MAX);
    expect(throttles.quiet).toBe(false);
    clock.advance(SPENT_MS);
    expect(throttles.quiet).toBe(true);
  });

  it('lets twice as many go for each that is let in, until it is forgotten', async () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(1_000));
    const granted = ask(throttles, 100);
    clock.advance(1_000);
    const waves: number[] = [];
    let ended = 0;
    while (granted.length < 100) {
      await settled();
      waves.push(granted.length - ended);
      granted[ended++]?.ended(true);
    }
    expect(waves.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 32]);
    expect(throttles.quiet).toBe(true);
  });

  it('whose wait was not enough sends the others away again', async () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(1_000));
    const granted = ask(throttles, 3);
    clock.advance(1_000);
    await settled();
    throttles.heard(MINI, told(20_000));
    granted[0]?.ended(false);
    clock.advance(1_000);
    await settled();
    expect(granted).toHaveLength(1);
    expect((await refusalOf(throttles)).detail.retryAfterSeconds).toBe(19);
  });

  it('gives the place of a caller that hung up to the next', async () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(1_000));
    const granted = ask(throttles, 2);
    clock.advance(1_000);
    await settled();
    granted[0]?.ended(false);
    await settled();
    expect(granted).toHaveLength(2);
  });

  it.each([
    ['CB-13 a date in the past', -1_000, 1],
    ['CB-13 1e9 seconds', 1e12, 60],
    ['CB-13 minus one', -1, 1],
    ['nothing that can be read', null, 1],
  ])('%s: at least 1 s, at most 60 s', async (_, waitMs, seconds) => {
    const { throttles } = setUp();
    throttles.heard(MINI, told(waitMs));
    expect(throttles.stopping(MINI)).toEqual({ waitMs: seconds * 1000, spent: false });
  });

  it('without a word of how long, doubles each time in a row', async () => {
    const { throttles, clock } = setUp();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      throttles.heard(MINI, told(null));
      throttles.heard(MINI, told(null)); // another that was under way at the same time
      waits.push(throttles.stopping(MINI)!.waitMs / 1000);
      clock.advance(throttles.stopping(MINI)!.waitMs);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('lasts up to a fifth longer by chance, so that those who share a limit come back apart', () => {
    const { throttles } = setUp(1);
    throttles.heard(MINI, told(10_000));
    expect(throttles.stopping(MINI)?.waitMs).toBe(12_000);
  });

  it('is forgotten a minute after it was over', async () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(1_000));
    clock.advance(1_000 + WAIT_MS_MAX);
    expect(await throttles.pass(MINI, 0)).toBeNull();
    expect(throttles.quiet).toBe(true);
  });
});

describe('CB-12: a spent quota', () => {
  it('stops every model of the credential, and is not worth a retry', async () => {
    const { throttles } = setUp();
    throttles.heard(MINI, told(null, true));
    const refusal = await refusalOf(throttles, { ...MINI, model: 'gpt-5' });
    expect(refusal.detail).toMatchObject({ reason: 'provider_quota', retryAfterSeconds: SPENT_MS / 1000 });
    expect(refusal.mayRetry).toBe(false);
    expect([...throttles.spent()]).toEqual(['openai']);
    expect(await throttles.pass({ ...MINI, credential: 'another' }, 0)).toBeNull();
  });

  it('ends with another policy, one call first', async () => {
    const { throttles } = setUp();
    throttles.heard(MINI, told(null, true));
    const paid = { ...MINI, policy: 'p2' };
    expect(await throttles.pass(paid, 0)).not.toBeNull();
    expect(throttles.stopping(paid)).toEqual({ waitMs: 0, spent: false });
  });

  it('ends with time', () => {
    const { throttles, clock } = setUp();
    throttles.heard(MINI, told(null, true));
    clock.advance(SPENT_MS - 1);
    expect(throttles.stopping(MINI)?.spent).toBe(true);
    clock.advance(1);
    expect(throttles.stopping(MINI)).toBeNull();
  });
});
