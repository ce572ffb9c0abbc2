// The sidecar's own metrics: a few bounded series, counted as calls end, rendered for Prometheus only when asked.

import type { Bodies } from './accept/body.ts';
import type { Journal } from './edges/journal.ts';
import type { CallRecord } from './record.ts';
import type { Circuits } from './state/circuits.ts';

export interface Gauges {
  readonly journal: Journal;
  readonly circuits: Circuits;
  readonly bodies: Bodies;
  inFlight(): number;
}

export interface Meters {
  count(record: CallRecord): void;
  render(gauges: Gauges): Promise<{ contentType: string; text: string }>;
}

export function createMeters(): Meters {
  const calls = new Map<string, number>();
  const refusals = new Map<string, number>();
  let costNanodollars = 0n;

  const add = (counts: Map<string, number>, key: string): void =>
    void counts.set(key, (counts.get(key) ?? 0) + 1);

  return {
    count(record) {
      add(calls, record.status);
      if (record.refusal) add(refusals, record.refusal);
      costNanodollars += record.costNanodollars ?? 0n;
    },
    async render({ journal, circuits, bodies, inFlight }) {
      const { Counter, Gauge, Registry } = await import('prom-client');
      const registers = [new Registry()];
      const gauge = (name: string, help: string, value: number): void =>
        new Gauge({ name, help, registers }).set(value);
      const counter = (name: string, help: string, label: string, counts: Map<string, number>): void => {
        const series = new Counter({ name, help, labelNames: [label], registers });
        for (const [value, count] of counts) series.inc({ [label]: value }, count);
      };
      counter('outrider_calls_total', 'Calls ended, by status.', 'status', calls);
      counter('outrider_refusals_total', 'Calls refused, by code.', 'refusal', refusals);
      gauge(
        'outrider_cost_dollars',
        'Spent by calls that ended since the start, in dollars.',
        Number(costNanodollars) / 1e9,
      );
      gauge('outrider_calls_in_flight', 'Calls accepted and not over.', inFlight());
      gauge('outrider_body_bytes_in_flight', 'Bytes of request bodies held.', bodies.bytesInFlight);
      gauge(
        'outrider_journal_bytes',
        'Bytes in the journal that the collector has not taken over.',
        journal.bytes,
      );
      const open = [...circuits.states().values()].filter((state) => state !== 'closed').length;
      gauge('outrider_circuits_not_closed', 'Circuits that are open or on trial.', open);
      gauge('outrider_resident_bytes', 'Resident memory of the process.', process.memoryUsage.rss());
      return { contentType: registers[0]!.contentType, text: await registers[0]!.metrics() };
    },
  };
}
