// What an agent is told of a quarantine: who decided it, why, until when, and how it ends.

import type { QuarantineLine } from '../contract/quarantine.ts';
import { Refusal } from '../contract/refusals.ts';

export function quarantined({ subject, kind, reason, until, actor, by }: QuarantineLine): Refusal {
  const lasts = until === null ? 'until somebody lifts it' : `until ${until}`;
  const who = by === 'rule' ? `the rule ${actor}` : actor;
  const sentence = `${subject} is in quarantine ${lasts}, by ${who}: ${ended(reason)} \`outrider quarantine lift ${subject}\` ends it.`;
  return new Refusal('agent_quarantined', sentence, { reason: kind, facts: { subject, until, by: actor } });
}

const ended = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
