// What alerts need to remember, and where nothing of it may be lost: the control database keeps it.

import type { Incident, Matchers, Send, Silence, Told } from '../../contract/alert.ts';

export interface Book {
  /** Unresolved: those that fire, and those only found so far. */
  open(): Promise<readonly Incident[]>;
  history(count: number): Promise<readonly Incident[]>;
  lastFired(
    alerts: readonly string[],
    sinceMs: number,
  ): Promise<readonly { readonly alert: string; readonly key: string; readonly atMs: number }[]>;
  /** All of it or nothing. */
  keep(
    steps: readonly { incident: Incident; change: string; sends: readonly Told[] }[],
    nowMs: number,
  ): Promise<void>;
  acknowledge(ask: {
    alert: string;
    key: string | null;
    by: string;
    reason: string;
    nowMs: number;
  }): Promise<number>;
  silences(nowMs: number): Promise<readonly Silence[]>;
  silence(ask: {
    matchers: Matchers;
    reason: string;
    by: string;
    nowMs: number;
    endsMs: number;
  }): Promise<string>;
  endSilence(id: string, by: string, nowMs: number): Promise<boolean>;
  enqueue(
    sends: readonly Told[],
    nowMs: number,
    mark?: { name: string; markedMs: number },
  ): Promise<readonly string[]>;
  markedAt(name: string): Promise<number | null>;
  mark(name: string, nowMs: number): Promise<void>;
  due(nowMs: number, count: number): Promise<readonly Send[]>;
  sends(ids: readonly string[]): Promise<readonly Send[]>;
  troubled(nowMs: number): Promise<readonly Send[]>;
  settle(
    id: string,
    end: { state: Send['state']; answer: string; nextMs: number },
    nowMs: number,
  ): Promise<void>;
  tidy(nowMs: number): Promise<void>;
}
