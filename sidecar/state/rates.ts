// Requests and tokens per time (`limits: { requests: 60/minute, tokens: 200k/minute }`): a sliding log of what was taken
// when, exact at any moment. Tokens are taken by what a call could use at most, and corrected once it is known.

import type { RateLimit } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';

export interface Rates {
  /**
   * Takes one request and so many tokens of the limits at once. Throws Refusal `rate_limited` when one has not so much
   * left; then nothing is taken of any. `whose` tells the limits of one from another's.
   */
  take(whose: string, limits: readonly RateLimit[], tokens: number): Taken;
}

export interface Taken {
  /** What it used in truth. */
  correct(tokens: number): void;
  /** It did not happen. */
  giveBack(): void;
}

interface Entry {
  readonly at: number;
  amount: number;
}

interface Log {
  readonly unit: RateLimit['unit'];
  readonly windowMs: number;
  entries: Entry[];
  /** Entries before this one have left the window; they are cut off now and then, not at every request. */
  first: number;
  /** Of the entries in the window. */
  sum: number;
}

/** Cut off what has left the window once it is so much, and half of all. */
const GONE_MIN = 1_024;
const LOGS_MAX = 10_000;

export function createRates(clock: Clock): Rates {
  const logs = new Map<string, Log>();

  const logOf = (whose: string, { unit, windowMs }: RateLimit): Log => {
    const key = `${unit} ${windowMs} ${whose}`;
    let log = logs.get(key);
    if (!log) {
      if (logs.size >= LOGS_MAX) logs.delete(logs.keys().next().value as string);
      log = { unit, windowMs, entries: [], first: 0, sum: 0 };
      logs.set(key, log);
    }
    return log;
  };

  return {
    take(whose, limits, tokens) {
      const amountOf = ({ unit }: Pick<RateLimit, 'unit'>): number => (unit === 'tokens' ? tokens : 1);
      const now = clock.monotonicMs();
      for (const limit of limits) {
        const waitMs = waitOf(logOf(whose, limit), limit, amountOf(limit), now);
        if (waitMs > 0) throw tooMuch(whose, limit, waitMs);
      }
      const taken = limits.map((limit) =>
        add(logOf(whose, limit), { at: now, amount: Math.min(amountOf(limit), limit.count) }),
      );
      return {
        correct(used) {
          for (const [log, entry] of taken)
            if (log.unit === 'tokens') change(log, entry, used, clock.monotonicMs());
        },
        giveBack() {
          for (const [log, entry] of taken) change(log, entry, 0, clock.monotonicMs());
        },
      };
    },
  };
}

/** Milliseconds until so much is left; what could be more than the whole limit goes when nothing else counts. */
function waitOf(log: Log, { count }: RateLimit, amount: number, now: number): number {
  forget(log, now);
  let over = log.sum + Math.min(amount, count) - count;
  if (over <= 0) return 0;
  for (let i = log.first; i < log.entries.length; i++) {
    over -= log.entries[i]!.amount;
    if (over <= 0) return log.entries[i]!.at + log.windowMs - now;
  }
  return log.windowMs;
}

function forget(log: Log, now: number): void {
  const { entries, windowMs } = log;
  while (log.first < entries.length && entries[log.first]!.at <= now - windowMs) {
    log.sum -= entries[log.first]!.amount;
    log.first += 1;
  }
  if (log.first <= GONE_MIN || log.first * 2 <= entries.length) return;
  log.entries = entries.slice(log.first);
  log.first = 0;
}

/** Nothing changes for what has left the window. */
function change(log: Log, entry: Entry, amount: number, now: number): void {
  forget(log, now);
  if (entry.at > now - log.windowMs) log.sum += amount - entry.amount;
  entry.amount = amount;
}

function add(log: Log, entry: Entry): readonly [Log, Entry] {
  log.entries.push(entry);
  log.sum += entry.amount;
  return [log, entry];
}

function tooMuch(whose: string, { unit, count, windowMs }: RateLimit, waitMs: number): Refusal {
  const may = unit === 'tokens' ? 'use' : 'start';
  return new Refusal('rate_limited', `${whose} may ${may} ${count} ${unit} in ${windowMs / 1000} s.`, {
    reason: unit,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}
