// How an entry of the ledger reads as an OTLP log record: what the collector tells, and the store's budget_entries reads.

/** The instrumentation scope of these log records. */
export const LEDGER_SCOPE_NAME = 'outrider.ledger';

/** Attributes of these log records. Amounts are whole numbers in `unit`, as text. */
export const LEDGER_ATTRIBUTES = {
  id: 'outrider.entry.id',
  /** Milliseconds since 1970. */
  at: 'outrider.entry.at',
  kind: 'outrider.entry.kind',
  lease: 'outrider.entry.lease',
  agent: 'outrider.entry.agent',
  instance: 'outrider.entry.instance',
  task: 'outrider.entry.task',
  unit: 'outrider.entry.unit',
  granted: 'outrider.entry.granted',
  posted: 'outrider.entry.posted',
  why: 'outrider.entry.why',
  /** JSON: `[{level, name, window}]`. */
  accounts: 'outrider.entry.accounts',
} as const;
