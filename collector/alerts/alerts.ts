// Alerts as a whole: rounds of evaluation one after the other (a slow one delays the next, they never pile up), the
// courier, and what people ask and say. Everything that must outlive a crash is in the book.

import type { AlertList, Incident, Matchers, Page, Send, Severity } from '../../contract/alert.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { channelsFor } from './channels.ts';
import { type CourierOptions, startCourier } from './courier.ts';
import type { Definitions } from './definition.ts';
import { digestIfDue } from './digest.ts';
import { type Ask, createEvaluation, type Figures } from './evaluate.ts';
import { alertList } from './list.ts';
import { paced, roundMs } from './pace.ts';
import { dedupKey, type Scene } from './page.ts';

export interface AlertsOptions extends CourierOptions {
  readonly definitions: Definitions;
  readonly scene: Scene;
  readonly pace: number;
  readonly ask: Ask;
  readonly figures: Figures;
}

/** One series of `outrider_alert_value`: what fires or is about to. */
export interface AlertValue {
  readonly alert: string;
  readonly severity: Severity;
  readonly agent: string;
  readonly task: string;
  readonly key: string;
  readonly value: number;
}

export interface Alerts {
  list(): Promise<AlertList>;
  /** One real page for each channel of the severity; what each answered, `waiting` where none did in time. */
  test(severity: Severity, by: string): Promise<readonly Send[]>;
  /** How many incidents that was; `key` null for all of the alert. */
  acknowledge(ask: { alert: string; key: string | null; by: string; reason: string }): Promise<number>;
  /** The silence's id. */
  silence(ask: { matchers: Matchers; forMs: number; by: string; reason: string }): Promise<string>;
  endSilence(id: string, by: string): Promise<boolean>;
  values(): readonly AlertValue[];
  /** Questions that could not be answered, since the start. */
  failures(): number;
  close(): Promise<void>;
}

const VALUES_MAX = 500;
const TIDY_EVERY_MS = 3_600_000;
const TEST_ANSWER_MS = 15_000;

export function startAlerts(options: AlertsOptions): Alerts {
  const { definitions, config, scene, pace, book, clock, log } = options;
  const evaluation = createEvaluation({
    ...options,
    definitions: definitions.alerts.map((definition) => paced(definition, pace)),
  });
  const courier = startCourier(options);
  let closed = false;
  let cancel: () => void = () => undefined;
  let tidiedMs = clock.nowMs();
  let round: Promise<void> = Promise.resolve();

  async function goRound(): Promise<void> {
    const startedMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    await orLog(log, async () => {
      if (await evaluation.round(nowMs)) courier.wake();
    });
    await orLog(log, async () => {
      for (const digest of definitions.digests) if (await digestIfDue(digest, options, nowMs)) courier.wake();
    });
    if (nowMs - tidiedMs >= TIDY_EVERY_MS) {
      tidiedMs = nowMs;
      await orLog(log, () => book.tidy(nowMs));
    }
    const tookMs = clock.monotonicMs() - startedMs;
    if (tookMs > roundMs(pace)) log.warn('alerts_slow', { took_ms: Math.round(tookMs) });
    if (!closed) cancel = clock.after(Math.max(0, roundMs(pace) - tookMs), startRound);
  }

  function startRound(): void {
    round = goRound();
  }
  cancel = clock.after(roundMs(pace), startRound);

  return {
    list: async () =>
      alertList(definitions, evaluation.failing(), {
        open: await book.open(),
        history: await book.history(100),
        silences: await book.silences(clock.nowMs()),
        troubled: await book.troubled(clock.nowMs()),
      }),
    async test(severity, by) {
      const nowMs = clock.nowMs();
      const page = testPage(severity, by, scene, nowMs);
      const sends = channelsFor(config(), severity, '').map((channel) => ({ channel, page }));
      const ids = await book.enqueue(sends, nowMs);
      courier.wake();
      const endMs = clock.monotonicMs() + TEST_ANSWER_MS;
      for (;;) {
        const sent = await book.sends(ids);
        if (sent.every(({ attempts }) => attempts > 0) || clock.monotonicMs() > endMs) return sent;
        await new Promise<void>((resolve) => void clock.after(100, resolve));
      }
    },
    async acknowledge(ask) {
      const count = await book.acknowledge({ ...ask, nowMs: clock.nowMs() });
      courier.wake();
      return count;
    },
    silence({ forMs, ...ask }) {
      const nowMs = clock.nowMs();
      return book.silence({ ...ask, nowMs, endsMs: Math.round(nowMs + forMs) });
    },
    endSilence: (id, by) => book.endSilence(id, by, clock.nowMs()),
    values: () => evaluation.current().slice(0, VALUES_MAX).map(seriesOf),
    failures: () => evaluation.failures(),
    async close() {
      closed = true;
      cancel();
      await round;
      await courier.close();
    },
  };
}

async function orLog(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    log.error('alerts_not_kept', { reason: sentenceOf(failure), next: 'the next round tries again' });
  }
}

const seriesOf = ({ alert, severity, agent, task, key, value }: Incident): AlertValue => ({
  alert,
  severity,
  agent,
  task,
  key,
  value,
});

function testPage(severity: Severity, by: string, { fleet, consoleUrl }: Scene, nowMs: number): Page {
  return {
    action: 'test',
    dedup_key: dedupKey(fleet, 'test', String(nowMs)),
    fleet,
    alert: 'test',
    severity,
    key: 'test',
    agent: '',
    task: '',
    owner: '',
    rule: '',
    spend: '',
    question: 'Does this channel work?',
    summary: `A test of the ${severity} channel of fleet ${fleet}, asked for by ${by}: nothing is wrong`,
    value: '',
    details: {},
    link: `${consoleUrl}/#/`,
    next: 'outrider alerts list',
    fired_at: new Date(nowMs).toISOString(),
  };
}
