// OUTRIDER_ALERTS_PACE=60: every duration of the evaluation is a sixtieth, so that a demo's month of minutes has its
// alerts. Records take up to five seconds to be there: no window gets shorter than WINDOW_MS_MIN, no round than ROUND_MS_MIN.

import type { AlertDefinition } from './definition.ts';

export const ROUND_MS = 15_000;
export const ROUND_MS_MIN = 1_000;
export const WINDOW_MS_MIN = 15_000;

/** Throws an Error with a sentence for what is no pace. */
export function paceOf(text: string | undefined): number {
  const pace = text === undefined || text === '' ? 1 : Number(text);
  if (!(pace >= 1 && pace <= 100_000))
    throw new Error('OUTRIDER_ALERTS_PACE is a number from 1 on, such as 60.');
  return pace;
}

export const roundMs = (pace: number): number => Math.max(ROUND_MS_MIN, ROUND_MS / pace);

export function paced(definition: AlertDefinition, pace: number): AlertDefinition {
  if (pace === 1) return definition;
  const { window, history, every, keep, repeat, again } = definition;
  return {
    ...definition,
    window: Math.max(window / pace, WINDOW_MS_MIN),
    history: Math.max(history / pace, WINDOW_MS_MIN),
    every: every / pace,
    for: definition.for / pace,
    keep: keep / pace,
    repeat: repeat / pace,
    ...(again ? { again: { ...again, within: again.within / pace } } : {}),
  };
}
