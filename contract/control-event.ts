// What can change in control state, by name: every change is noted once, in the transaction that makes it, and told to
// the store as an OTLP log record, so that an auditor asks one place who did what.

export const CONTROL_EVENTS = [
  'policy_in_force',
  'mode_changed',
  'mode_restored',
  'quarantine_set',
  'quarantine_lifted',
  'quarantine_expired',
  'agent_degraded',
  'agent_recovered',
  'tool_changed',
  'tool_accepted',
  'dead_letter_arrived',
  'dead_letter_recovered',
  'dead_letter_replay_asked',
  'dead_letter_replayed',
  'dead_letter_discarded',
  'task_ended',
  'budget_written_off',
  'budget_threshold',
  'budget_raised',
  'budget_raise_ended',
  'budget_corrected',
  'hold_expired',
  'budget_learning',
  'lease_settled_late',
  'token_created',
  'token_revoked',
  'alert_fired',
  'alert_resolved',
  'alert_acknowledged',
  'alert_silenced',
  'session_opened',
  'session_revoked',
  'store_backed_up',
  'legal_hold_set',
  'legal_hold_ended',
  'retention_run',
  'retention_halted',
  'body_erased',
  'audit_log_started',
  'audit_log_pruned',
  'audit_log_dropped',
  'audit_key_changed',
  'rebuild_asked',
  'rebuild_done',
  'sums_in_doubt',
  'records_damaged',
  'chain_forked',
  'records_loaded_again',
] as const;
export type ControlEventName = (typeof CONTROL_EVENTS)[number];

/** The instrumentation scope of these log records; the store reads `control_events` from it. */
export const CONTROL_SCOPE_NAME = 'outrider.control';

/** Attributes of these log records; what each holds is said at ControlEvent. */
export const CONTROL_ATTRIBUTES = {
  id: 'outrider.control.id',
  event: 'outrider.control.event',
  actor: 'outrider.control.actor',
  agent: 'outrider.control.agent',
  reason: 'outrider.control.reason',
  /** JSON. */
  details: 'outrider.control.details',
} as const;

export interface ControlEvent {
  readonly event: ControlEventName;
  /** Who did it: the name of the join token or session that was shown, or `collector`. */
  readonly actor: string;
  /** Empty where it concerns no single agent. */
  readonly agent: string;
  /** In the words of whoever did it; may be empty. */
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}
