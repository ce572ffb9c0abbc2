// Active alerts, each said once: the same thing found at two thresholds is one thing to read. Null until they are known.

import { useAnswer } from './use-answer.ts';

export interface ActiveAlert {
  readonly alert: string;
  readonly severity: string;
  readonly key: string;
  readonly agent: string;
  readonly task: string;
  readonly owner: string;
  readonly summary: string;
  readonly fired_at: string;
  readonly acknowledged_by: string | null;
  readonly silenced_until: string | null;
}

export function useAlerts(pulse: number): readonly ActiveAlert[] | null {
  const { answer } = useAnswer<{ readonly active: readonly ActiveAlert[] }>('/v1/alerts', pulse);
  if (!answer) return null;
  return [
    ...new Map(answer.active.map((alert) => [JSON.stringify([alert.alert, alert.summary]), alert])).values(),
  ];
}
