// The sidecar's own metrics: bounded series, counted as calls end, rendered for Prometheus only when asked.

import { agentNamed, type Config } from '../../contract/config/config.ts';
import { figuresOf } from '../../contract/metrics.ts';
import { REFUSAL_CODES } from '../../contract/refusals.ts';
import { type Exposition, exposition, type Family } from '../../kit/metrics.ts';
import { processFigures } from '../../kit/process-figures.ts';
import type { Bodies } from '../accept/body.ts';
import type { Journal } from '../edges/journal.ts';
import type { Shipper } from '../edges/shipper.ts';
import type { CallRecord } from '../record.ts';
import type { Circuits } from '../state/circuits.ts';
import type { Leases } from '../state/leases.ts';
import { createLabels } from './labels.ts';
import { createDistribution, createTally } from './tally.ts';

export interface Gauges {
  readonly journal: Pick<Journal, 'bytes' | 'failing'>;
  readonly circuits: Pick<Circuits, 'states'>;
  readonly bodies: Pick<Bodies, 'bytesInFlight'>;
  readonly leases: Pick<Leases, 'unreachable'>;
  readonly shipper: Pick<Shipper, 'lastFailure'>;
  inFlight(): number;
}

export interface Meters {
  count(record: CallRecord): void;
  render(gauges: Gauges): Promise<Exposition>;
}

/** Entries whose counters are shown from the start, at 0: a first refusal is then seen as an increase. */
const AGENTS_SHOWN_MAX = 32;
const NANODOLLARS = 1e9;

/** `agent` is the one this sidecar was started for; null when each call says whose it is. */
export function createMeters(config: () => Config, agent: string | null): Meters {
  const labels = createLabels(config);
  const calls = createTally('outrider_calls_total');
  const refusals = createTally('outrider_refusals_total');
  const wouldRefuse = createTally('outrider_would_refuse_total');
  const cost = createTally('outrider_cost_dollars_total', NANODOLLARS);
  const tokens = createTally('outrider_tokens_total');
  const responses = createTally('outrider_upstream_responses_total');
  const credentialFailures = createTally('outrider_credential_failures_total');
  const durations = createDistribution('gen_ai_client_operation_duration_seconds');
  const usage = createDistribution('gen_ai_client_token_usage');
  const firstChunks = createDistribution('gen_ai_client_operation_time_to_first_chunk_seconds');

  function showZeros(): void {
    const entry = agent === null ? undefined : agentNamed(config(), agent);
    const shown = entry ? [entry.pattern] : [...config().agents.keys()].slice(0, AGENTS_SHOWN_MAX);
    for (const pattern of shown) {
      for (const code of REFUSAL_CODES) refusals.add(0, pattern, code);
      for (const verdict of ['deny', 'ask']) wouldRefuse.add(0, pattern, verdict);
      for (const upstream of config().upstreams.keys()) calls.add(0, pattern, upstream, 'success');
    }
    for (const credential of config().credentials.keys()) credentialFailures.add(0, credential);
  }

  function count(record: CallRecord): void {
    const { status, refusal, verdict, wouldVerdict, upstreamStatus } = record;
    const who = labels.agent(record.agent);
    const upstream = labels.upstream(record.upstream);
    calls.add(1, who, upstream, status);
    if (refusal !== '') refusals.add(1, who, refusal);
    if (wouldVerdict !== verdict) wouldRefuse.add(1, who, wouldVerdict);
    if (upstreamStatus > 0) responses.add(1, upstream, String(upstreamStatus));
    if (refusal === 'no_credential' || upstreamStatus === 401)
      credentialFailures.add(1, labels.credential(record));
    if (status === 'refused' || status === 'escalated') return;
    const model = labels.model(record.model);
    if (record.costNanodollars !== null) cost.add(Number(record.costNanodollars), who, upstream, model);
    countTokens(record, who, upstream, model);
    if (record.operation !== '') observe(record, who);
  }

  function countTokens(record: CallRecord, who: string, upstream: string, model: string): void {
    if (record.tokensIn !== null) tokens.add(record.tokensIn, who, upstream, model, 'input');
    if (record.tokensOut !== null) tokens.add(record.tokensOut, who, upstream, model, 'output');
    if (record.tokensCached !== null) tokens.add(record.tokensCached, who, upstream, model, 'cached');
  }

  function observe(record: CallRecord, who: string): void {
    const { operation, provider, tokensIn, tokensOut, timeToFirstByteMs } = record;
    const model = labels.model(record.requestModel);
    durations.observe(
      record.durationMs / 1000,
      who,
      operation,
      provider,
      model,
      labels.errorType(record.errorType),
    );
    if (tokensIn !== null) usage.observe(tokensIn, who, operation, provider, model, 'input');
    if (tokensOut !== null) usage.observe(tokensOut, who, operation, provider, model, 'output');
    if (record.stream && timeToFirstByteMs !== null)
      firstChunks.observe(timeToFirstByteMs / 1000, who, operation, provider, model);
  }

  const counted = [
    calls,
    refusals,
    wouldRefuse,
    cost,
    tokens,
    responses,
    credentialFailures,
    durations,
    usage,
    firstChunks,
  ];
  return {
    count,
    render(gauges) {
      showZeros();
      return exposition([...counted.map((each) => each.family()), ...familiesOf(gauges)]);
    },
  };
}

function familiesOf({ journal, circuits, bodies, leases, shipper, inFlight }: Gauges): Family[] {
  const notClosed = [...circuits.states().values()].filter((state) => state !== 'closed');
  return figuresOf({
    outrider_calls_in_flight: inFlight(),
    outrider_body_bytes_in_flight: bodies.bytesInFlight,
    outrider_journal_bytes: journal.bytes,
    outrider_circuits_not_closed: notClosed.length,
    outrider_ledger_reachable: leases.unreachable() ? 0 : 1,
    outrider_collector_reachable: shipper.lastFailure === null ? 1 : 0,
    outrider_journal_writable: journal.failing ? 0 : 1,
    ...processFigures(),
  });
}
