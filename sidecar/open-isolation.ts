// Keeping apart what may not go on: the list of what is in quarantine, how it is kept up to date, and how calls under
// way are ended, by it or because their agent's key was revoked.

import { Refusal } from '../contract/refusals.ts';
import type { Edges } from './edges/edges.ts';
import { createInterruption } from './interruption.ts';
import { createQuarantineExchange, type QuarantineExchange } from './quarantine-exchange.ts';
import { quarantined } from './quarantined.ts';
import type { Refusing } from './refuse.ts';
import type { Start } from './starting.ts';
import { createQuarantine, type Quarantine } from './state/quarantine.ts';
import type { Trail } from './trail.ts';

export interface Isolation {
  readonly quarantine: Quarantine;
  readonly exchange: QuarantineExchange;
  readonly underWay: Set<Trail>;
  /** Ends what runs under the keys of these entries of the config. */
  revoked(patterns: ReadonlySet<string>): void;
}

/** Throws an Error with one sentence when what was kept on disk cannot be read. */
export function openIsolation(
  { agent, instance, clock, log, lifecycle }: Start,
  { control, quarantineFile: file }: Edges,
  refusing: Refusing,
): Isolation {
  const underWay = new Set<Trail>();
  const interruption = createInterruption(underWay, refusing, clock);
  const quarantine = createQuarantine(clock);
  const changed = (): void =>
    interruption.sweep((call) => {
      const line = quarantine.of(call);
      return line && quarantined(line);
    });
  const exchange = createQuarantineExchange({ control, quarantine, file, changed, clock, log });
  lifecycle.onStop('quarantine', () => exchange.stop());
  // Who serves whoever shows a key follows no agent before one has called.
  if (agent === null)
    control.follow('', instance, { quarantine: ({ revision }) => exchange.heard(revision) });
  return {
    quarantine,
    exchange,
    underWay,
    revoked: (patterns) =>
      interruption.sweep(({ agent: of }) =>
        of && patterns.has(of.entry.pattern) ? keyRevoked(of.name) : undefined,
      ),
  };
}

const keyRevoked = (agent: string): Refusal =>
  new Refusal('unknown_agent', `The key of ${agent} was revoked.`, { reason: 'key_revoked' });
