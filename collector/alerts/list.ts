// What GET /v1/alerts says: what could fire, what does, what did, and what nobody was told.

import type { AlertLine, AlertList, Incident, Send, Silence } from '../../contract/alert.ts';
import type { Definitions } from './definition.ts';
import { silences } from './silence.ts';

interface Kept {
  readonly open: readonly Incident[];
  readonly history: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly troubled: readonly Send[];
}

export function alertList(
  { alerts, digests }: Definitions,
  failing: ReadonlyMap<string, string>,
  kept: Kept,
): AlertList {
  return {
    definitions: [...alerts, ...digests].map(({ id, severity, question }) => ({
      id,
      severity,
      question,
      failing: failing.get(id) ?? '',
    })),
    active: kept.open
      .filter(({ firedMs }) => firedMs !== null)
      .map((incident) => lineOf(incident, kept.silences)),
    history: kept.history.map((incident) => ({
      ...lineOf(incident, []),
      resolved_at: iso(incident.resolvedMs ?? incident.seenMs),
    })),
    silences: kept.silences.map(({ id, matchers, endsMs, reason, by }) => ({
      id,
      matchers,
      until: iso(endsMs),
      reason,
      by,
    })),
    undelivered: kept.troubled.map(({ channel, page, attempts, state, answer }) => ({
      channel,
      alert: page.alert,
      key: page.key,
      attempts,
      state,
      answer,
    })),
  };
}

function lineOf(incident: Incident, quiet: readonly Silence[]): AlertLine {
  const { alert, severity, key, agent, task, owner, summary, value, firedMs, sinceMs, acknowledgedBy } =
    incident;
  const ends = quiet.filter((silence) => silences(silence, incident)).map(({ endsMs }) => endsMs);
  return {
    alert,
    severity,
    key,
    agent,
    task,
    owner,
    summary,
    value,
    fired_at: iso(firedMs ?? sinceMs),
    acknowledged_by: acknowledgedBy || null,
    silenced_until: ends.length === 0 ? null : iso(Math.max(...ends)),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
