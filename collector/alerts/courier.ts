// Carries what waits in the outbox to its channels, the oldest of each incident first, until the channel has taken it.
// Killed between sending and noting, it sends again: the same dedup_key makes that one incident wherever it arrives.

import type { Send } from '../../contract/alert.ts';
import type { Config } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Secrets } from '../../kit/secrets.ts';
import type { Book } from './book.ts';
import { channelNamed } from './channels.ts';
import { outcomeOf } from './delivery.ts';
import { textOf } from './finding.ts';
import type { Answer, Message, Post } from './message.ts';
import { pagerdutyMessage } from './pagerduty.ts';
import { slackMessage } from './slack.ts';
import { webhookMessage } from './webhook.ts';

export interface CourierOptions {
  /** The one in force. */
  config(): Config;
  readonly book: Book;
  readonly secrets: Secrets;
  readonly post: Post;
  readonly pagerdutyUrl: string;
  /** From 0 to 1. */
  random(): number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Courier {
  /** There is something new to carry. */
  wake(): void;
  /** What is under way is finished; the rest stays in the outbox. */
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
const TOGETHER_MAX = 8;

export function startCourier(options: CourierOptions): Courier {
  const { book, clock, log } = options;
  let closed = false;
  let running: Promise<void> | undefined;
  let woken = false;
  let cancel: () => void = () => undefined;

  async function carry(): Promise<void> {
    do {
      woken = false;
      const due = await book.due(clock.nowMs(), TOGETHER_MAX);
      await Promise.all(due.map((send) => carryOne(send, options)));
      woken ||= due.length > 0;
    } while (woken && !closed);
  }

  function look(): void {
    cancel();
    running ??= carry()
      .catch((failure: unknown) => log.error('alerts_not_carried', { reason: sentenceOf(failure) }))
      .then(() => {
        running = undefined;
        if (!closed) cancel = clock.after(LOOK_EVERY_MS, look);
      });
  }

  look();
  return {
    wake() {
      woken = true;
      if (!closed && !running) look();
    },
    async close() {
      closed = true;
      cancel();
      await running;
    },
  };
}

async function carryOne(send: Send, options: CourierOptions): Promise<void> {
  const { book, clock, log, random } = options;
  const answer = await answerTo(send, options);
  const nowMs = clock.nowMs();
  const outcome = outcomeOf(answer, send.attempts + 1, nowMs - send.enqueuedMs, random());
  const said = textOf(answer.status === 0 ? answer.text : `${answer.status} ${answer.text}`.trim());
  const about = { channel: send.channel, alert: send.page.alert, key: send.page.key, answer: said };
  if (outcome.kind === 'failed') log.error('alert_not_delivered', about);
  if (outcome.kind === 'again')
    log.warn('alert_delivery_again', { ...about, after_ms: Math.round(outcome.afterMs) });
  const state = outcome.kind === 'again' ? 'waiting' : outcome.kind;
  const nextMs = Math.round(nowMs + (outcome.kind === 'again' ? outcome.afterMs : 0));
  await book.settle(send.id, { state, answer: said, nextMs }, nowMs);
}

async function answerTo(send: Send, options: CourierOptions): Promise<Answer> {
  try {
    return await options.post(await messageOf(send, options));
  } catch (failure) {
    return { status: 0, text: sentenceOf(failure), retryAfterSeconds: null };
  }
}

/** Throws an Error with a sentence when the channel is gone or its secret cannot be used; never holds the secret. */
async function messageOf({ id, channel, page }: Send, options: CourierOptions): Promise<Message> {
  const { config, secrets, pagerdutyUrl, clock } = options;
  const found = channelNamed(config(), channel);
  if (!found) throw new Error(`the config has no channel ${channel} any more`);
  const secret = await secrets.read(found.secret);
  if (found.kind === 'pagerduty') return pagerdutyMessage(page, secret, pagerdutyUrl);
  if (!/^https?:$/.test(URL.parse(secret)?.protocol ?? ''))
    throw new Error(`what ${found.secret.from}:${found.secret.locator} holds is not an http or https URL`);
  return found.kind === 'slack'
    ? slackMessage(page, secret)
    : webhookMessage(page, secret, `${page.dedup_key}/${id}`, clock.nowMs());
}
