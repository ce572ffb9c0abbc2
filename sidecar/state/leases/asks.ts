// What is to be asked of the ledger for a till's purses. When it is asked is not decided here.

import type { LeaseAsk } from '../../../contract/budget.ts';
import { type Amounts, isNothing, NOTHING, plus } from '../../../contract/money.ts';
import { askOf, hasSpare, isLive, keepShare, lackOf, type Purse } from './purse.ts';
import { pursesOf, retireExpired, type Till, type TillRules, taskPurse, type Waiter } from './till.ts';

/** Below this share of the last grant more is asked for ahead of need. */
const LOW_WATER_DIVISOR = 5n;

/** What the first waiting call lacks, with as much as all that wait could use. */
export function asksForWaiters(till: Till, nowMs: number, rules: TillRules): LeaseAsk[] {
  const first = till.waiters[0]!;
  till.askedFor = first;
  const asks = [...giveBackExpired(till, nowMs, rules), ...giveBackRecalled(till)];
  asks.push(...askForLack(till.main, first.amounts, sumOf(till.waiters), nowMs));
  const ofTask = till.waiters.filter((waiter) => waiter.task === first.task);
  asks.push(...askForLack(taskPurse(till, first.task, rules), first.amounts, sumOf(ofTask), nowMs));
  return [...asks, ...askForOffline(till, nowMs, rules)];
}

const sumOf = (waiters: readonly Waiter[]): Amounts =>
  waiters.reduce((total, { amounts }) => plus(total, amounts), NOTHING);

function askForLack(purse: Purse, first: Amounts, all: Amounts, nowMs: number): LeaseAsk[] {
  const need = lackOf(purse, first, nowMs);
  if (purse.lease !== null && isNothing(need)) return [];
  return [askOf(purse, larger(need, lackOf(purse, all, nowMs)), need)];
}

const larger = (a: Amounts, b: Amounts): Amounts => ({
  nanodollars: a.nanodollars > b.nanodollars ? a.nanodollars : b.nanodollars,
  tokens: a.tokens > b.tokens ? a.tokens : b.tokens,
});

/** An offline slice is drawn once, beside the first grant, and again when it is over. */
export function askForOffline({ offline }: Till, nowMs: number, { money }: TillRules): LeaseAsk[] {
  if (!offline || isLive(offline, nowMs)) return [];
  return [askOf(offline, offlineWant({ money }), NOTHING)];
}

const offlineWant = ({ money }: Pick<TillRules, 'money'>): Amounts => ({
  nanodollars: money().offlineNanodollars,
  tokens: 0n,
});

/**
 * Tells what was posted and fetches more where the main slice runs low. A purse whose holds were forced may have no
 * lease yet: it is asked for here.
 */
export function asksToReport(till: Till, nowMs: number, rules: TillRules): LeaseAsk[] {
  const asks = giveBackExpired(till, nowMs, rules);
  if (till.main.dirty) asks.push(askOf(till.main, refillOf(till.main), NOTHING));
  for (const purse of till.tasks.values()) if (purse.dirty) asks.push(askOf(purse, NOTHING, NOTHING));
  if (till.offline?.dirty) asks.push(askOf(till.offline, NOTHING, NOTHING));
  return asks;
}

function refillOf(purse: Purse): Amounts {
  const left = purse.granted.nanodollars - purse.posted.nanodollars - purse.held.nanodollars;
  const low = left * LOW_WATER_DIVISOR < purse.granted.nanodollars;
  return low && !purse.unlimited.nanodollars
    ? { nanodollars: purse.granted.nanodollars, tokens: 0n }
    : NOTHING;
}

/** Keeps the main lease and the offline one, whole; gives back what is over, and what others have less of. */
export function asksToRenew(till: Till, nowMs: number, rules: TillRules): LeaseAsk[] {
  const asks = giveBackExpired(till, nowMs, rules);
  keepShare(till.main);
  asks.push(askOf(till.main, NOTHING, NOTHING));
  return till.offline ? [...asks, askOf(till.offline, offlineWant(rules), NOTHING)] : asks;
}

/** An expired lease is closed, or waits for its calls; the till starts a fresh one. */
export function giveBackExpired(till: Till, nowMs: number, rules: TillRules): LeaseAsk[] {
  retireExpired(till, nowMs, rules);
  return [...till.retired].filter((purse) => purse.dirty || isNothing(purse.held)).map(giveBack);
}

/**
 * What other sidecars need of this till's unspent slices. Where calls hold all of one, a recall is no news: answering
 * would bring the next at once, for as long as a limit is below what is held.
 */
export function giveBackRecalled(till: Till): LeaseAsk[] {
  const called = [...pursesOf(till)].filter(({ lease }) => lease !== null && till.recalled.has(lease));
  till.recalled.clear();
  return called.filter(hasSpare).map((purse) => askOf(purse, NOTHING, NOTHING, { release: true }));
}

export const giveBack = (purse: Purse): LeaseAsk =>
  askOf(purse, NOTHING, NOTHING, { release: true, close: isNothing(purse.held) });
