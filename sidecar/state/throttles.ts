// Whoever says that too much was asked of it is left alone for as long as it says, and then approached one call first,
// two more for each that it takes: never everybody at once. What a provider limits is a credential's calls of a model;
// a spent quota is the whole credential's, and only time or another policy ends it.
//
//   429 ──> nobody until it is over ──> 1 ──accepted──> 2 ──> 4 ── … ──> 32: forgotten
//            short enough? wait : refuse          429 again ──> longer

import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Throttle } from '../dialects/dialect.ts';

/** What is limited: the calls of a model with one credential. */
export interface Limited {
  /** Its name, or whose own it is. */
  readonly credential: string;
  readonly upstream: string;
  /** Empty where there is none. */
  readonly model: string;
  /** Of the policy that the call goes by. */
  readonly policy: string;
}

/** One call's place among those that may go at once; told once whether it was let in, then it is another's. */
export interface Passage {
  ended(accepted: boolean): void;
}

export interface Stop {
  readonly waitMs: number;
  readonly spent: boolean;
}

export interface Throttles {
  /** Nobody is throttled: nothing need be asked. */
  readonly quiet: boolean;
  /** What would stop a call now; changes nothing. */
  stopping(of: Limited): Stop | null;
  /** Resolves when the call may go, null where nobody need be told. Rejects with Refusal `rate_limited`. */
  pass(of: Limited, waitMsMax: number): Promise<Passage | null>;
  /** What an answer said. Said twice, the longer holds. */
  heard(of: Limited, told: Throttle): void;
  /** Upstreams whose quota is spent. */
  spent(): Iterable<string>;
}

interface Waiter {
  go(): void;
}

interface Held {
  until: number;
  /** How often in a row it was said without a word of how long. */
  streak: number;
  /** How many calls may be under way that nobody has let in yet. */
  places: number;
  taken: number;
  readonly waiters: Set<Waiter>;
  /** Ends the timer that looks at it next. */
  cancelWatch(): void;
}

interface Spent {
  readonly upstream: string;
  readonly until: number;
  readonly policy: string;
}

export const WAIT_MS_MIN = 1_000;
export const WAIT_MS_MAX = 60_000;
/** A spent quota is asked for again after so long; who paid sooner reloads the config. */
export const SPENT_MS = 600_000;
const PLACES_MAX = 32;
const HELD_MAX = 1_000;
const SPENT_MAX = 1_000;
/** Waits are longer by up to so much of themselves: sidecars that share a limit do not come back together. */
const JITTER = 0.2;

export function createThrottles({ clock, random }: { clock: Clock; random(): number }): Throttles {
  const held = new Map<string, Held>();
  const spent = new Map<string, Spent>();

  const spentOf = (of: Limited, now: number): Spent | null => {
    const latched = spent.get(credentialKey(of));
    if (!latched) return null;
    if (latched.policy === of.policy && now < latched.until) return latched;
    spent.delete(credentialKey(of));
    hold(modelKey(of), now); // the first one asks alone whether it is paid
    return null;
  };

  const hold = (key: string, until: number): Held => {
    let entry = held.get(key);
    if (!entry) {
      if (held.size >= HELD_MAX) forget(held.keys().next().value as string);
      entry = { until, streak: 0, places: 1, taken: 0, waiters: new Set(), cancelWatch: () => undefined };
      held.set(key, entry);
    }
    if (until > entry.until) entry.until = until;
    entry.places = 1;
    watch(key, entry);
    return entry;
  };

  const forget = (key: string): void => {
    const entry = held.get(key);
    held.delete(key);
    entry?.cancelWatch();
    for (const waiter of entry?.waiters ?? []) waiter.go();
  };

  /** When its time is over the first may go; what nobody asks for long after says nothing of now, and is forgotten. */
  const watch = (key: string, entry: Held): void => {
    entry.cancelWatch();
    const leftMs = entry.until - clock.monotonicMs(); // a timer may ring a little early: then it is set again
    entry.cancelWatch = clock.after(leftMs > 0 ? Math.ceil(leftMs) : WAIT_MS_MAX, () => {
      if (entry.taken === 0 && clock.monotonicMs() >= entry.until + WAIT_MS_MAX) return forget(key);
      release(entry);
      watch(key, entry);
    });
  };

  const latch = (of: Limited, until: number): void => {
    const key = credentialKey(of);
    const entry: Spent = { upstream: of.upstream, policy: of.policy, until };
    spent.delete(key);
    if (spent.size >= SPENT_MAX) spent.delete(spent.keys().next().value as string);
    spent.set(key, entry);
    clock.after(SPENT_MS + WAIT_MS_MAX, () => {
      if (spent.get(key) === entry) spent.delete(key); // nobody asked since it was over
    });
  };

  /** Lets those go that waited first, as far as there are places. */
  const release = (entry: Held): void => {
    if (clock.monotonicMs() < entry.until) return;
    for (const waiter of entry.waiters) {
      if (entry.taken >= entry.places) return;
      waiter.go();
    }
  };

  const passage = (key: string, entry: Held): Passage => {
    entry.taken += 1;
    let over = false;
    return {
      ended(accepted) {
        if (over) return;
        over = true;
        entry.taken -= 1;
        if (accepted) entry.places *= 2;
        if (entry.places > PLACES_MAX && held.get(key) === entry) forget(key);
        release(entry);
      },
    };
  };

  const stopOf = (of: Limited, now: number): Stop | null => {
    const latched = spentOf(of, now);
    if (latched) return { waitMs: latched.until - now, spent: true };
    const entry = held.get(modelKey(of));
    if (!entry || (now >= entry.until && entry.taken < entry.places)) return null;
    return { waitMs: Math.max(0, entry.until - now), spent: false };
  };

  const wait = (of: Limited, entry: Held, waitMsMax: number): Promise<Passage | null> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = {
        go() {
          entry.waiters.delete(waiter);
          cancelGiveUp();
          resolve(held.get(modelKey(of)) === entry ? passage(modelKey(of), entry) : null);
        },
      };
      entry.waiters.add(waiter);
      const cancelGiveUp = clock.after(waitMsMax, () => {
        entry.waiters.delete(waiter);
        reject(leftAlone(of, stopOf(of, clock.monotonicMs()) ?? { waitMs: 0, spent: false }));
      });
    });

  return {
    get quiet() {
      return held.size === 0 && spent.size === 0;
    },
    stopping: (of) => stopOf(of, clock.monotonicMs()),
    async pass(of, waitMsMax) {
      const stop = stopOf(of, clock.monotonicMs());
      const entry = held.get(modelKey(of));
      if (stop?.spent || (stop && stop.waitMs > waitMsMax)) throw leftAlone(of, stop);
      if (!entry) return null;
      return stop ? wait(of, entry, waitMsMax) : passage(modelKey(of), entry);
    },
    heard(of, told) {
      const now = clock.monotonicMs();
      if (told.spent) return latch(of, now + SPENT_MS);
      const known = held.get(modelKey(of));
      const silentFor = known ? known.streak : 0;
      const again = !known || now >= known.until;
      const waitMs = bounded(told.waitMs ?? (again ? WAIT_MS_MIN * 2 ** silentFor : 0));
      const entry = hold(modelKey(of), now + waitMs * (1 + JITTER * random()));
      if (again && told.waitMs === null) entry.streak += 1;
    },
    spent() {
      const now = clock.monotonicMs();
      return new Set([...spent.values()].filter(({ until }) => now < until).map(({ upstream }) => upstream));
    },
  };
}

const bounded = (waitMs: number): number => Math.min(Math.max(waitMs, WAIT_MS_MIN), WAIT_MS_MAX);
const credentialKey = ({ credential, upstream }: Limited): string => `${credential}\n${upstream}`;
const modelKey = ({ credential, upstream, model }: Limited): string => `${credential}\n${upstream}\n${model}`;

function leftAlone({ upstream, model }: Limited, { waitMs, spent }: Stop): Refusal {
  const who = model === '' ? upstream : `${upstream}/${model}`;
  const sentence = spent
    ? `${upstream} says that its quota or spend limit is used up, and is not asked again for now.`
    : `${who} asked to be left alone for a while.`;
  return new Refusal('rate_limited', sentence, {
    reason: spent ? 'provider_quota' : 'upstream_throttled',
    mayRetry: !spent,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    facts: { upstream, model: model === '' ? null : model },
  });
}
