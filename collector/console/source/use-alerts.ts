// Active alerts, from a collector that evaluates them; an older one has none to tell.

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

export function useAlerts(pulse: number): readonly ActiveAlert[] {
  const { answer } = useAnswer<{ readonly active: readonly ActiveAlert[] }>('/v1/alerts', pulse);
  return answer?.active ?? [];
}
