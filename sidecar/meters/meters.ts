// The sidecar's own metrics: bounded series, counted as calls end, rendered for Prometheus only when asked.

import { agentNamed, type Config } from '../../contract/config/config.ts';
import { familyOf, figuresOf, type TOKEN_TYPES } from '../../contract/metrics.ts';
import { REFUSAL_CODES } from '../../contract/refusals.ts';
import { type Exposition, exposition, type Family } from '../../kit/metrics.ts';
import { processFigures } from '../../kit/process-figures.ts';
import type { Bodies } from '../accept/body.ts';
import type { Book } from '../book.ts';
import type { Journal } from '../edges/journal.ts';
import type { Shipper } from '../edges/shipper.ts';
import type { CallRecord } from '../record.ts';
import { CIRCUIT_STATES, type CircuitState } from '../state/circuit.ts';
import type { Circuits } from '../state/circuits.ts';
import type { Leases } from '../state/leases/leases.ts';
import type { Throttles } from '../state/throttles.ts';
import { createLabels } from './labels.ts';
import { type Buckets, type Cell, createCounter, createHistogram, observe } from './tally.ts';

export interface Gauges {
  readonly journal: Pick<Journal, 'bytes' | 'failing'>;
  readonly book: Pick<Book, 'unrecorded'>;
  readonly circuits: Pick<Circuits, 'states'>;
  readonly throttles: Pick<Throttles, 'spent'>;
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

type TokenType = (typeof TOKEN_TYPES)[number];

/** The series that calls of the same labels share, each looked up with the first call that needs it. */
interface Shared {
  readonly agent: string;
  readonly upstream: string;
  readonly model: string;
  readonly requestModel: string;
  readonly calls: Cell;
  cost?: Cell;
  readonly tokens: Partial<Record<TokenType, Cell>>;
  duration?: Buckets;
  readonly usage: Partial<Record<TokenType, Buckets>>;
  firstChunk?: Buckets;
}

/** A cache, no more: emptied when full. */
const SHARED_MAX = 1_000;

/** `agent` is the one this sidecar was started for; null when each call says whose it is. */
export function createMeters(config: () => Config, agent: string | null): Meters {
  const labels = createLabels(config);
  const counters = {
    calls: createCounter('outrider_calls_total'),
    refusals: createCounter('outrider_refusals_total'),
    laterAttempts: createCounter('outrider_later_attempts_total'),
    wouldRefuse: createCounter('outrider_would_refuse_total'),
    cost: createCounter('outrider_cost_dollars_total', NANODOLLARS),
    tokens: createCounter('outrider_tokens_total'),
    responses: createCounter('outrider_upstream_responses_total'),
    credentialFailures: createCounter('outrider_credential_failures_total'),
  };
  const histograms = {
    durations: createHistogram('gen_ai_client_operation_duration_seconds'),
    usage: createHistogram('gen_ai_client_token_usage'),
    firstChunks: createHistogram('gen_ai_client_operation_time_to_first_chunk_seconds'),
  };
  const known = new Map<string, Shared>();

  function sharedBy(record: CallRecord): Shared {
    const who = labels.agent(record.agent);
    const upstream = labels.upstream(record.upstream);
    const sent = wasSent(record);
    const model = sent ? labels.model(record.model) : '';
    const requestModel = sent ? labels.model(record.requestModel) : '';
    const error = labels.errorType(record.errorType);
    const key = `${who}\n${upstream}\n${record.status}\n${model}\n${requestModel}\n${record.operation}\n${error}`;
    let shared = known.get(key);
    if (!shared) {
      if (known.size >= SHARED_MAX) known.clear();
      const calls = counters.calls.at(who, upstream, record.status);
      shared = { agent: who, upstream, model, requestModel, calls, tokens: {}, usage: {} };
      known.set(key, shared);
    }
    return shared;
  }

  function count(record: CallRecord): void {
    const shared = sharedBy(record);
    shared.calls.value += 1;
    if (record.upstreamStatus > 0)
      counters.responses.at(shared.upstream, String(record.upstreamStatus)).value += 1;
    countTrouble(record, shared.agent);
    if (record.attempt > 1)
      counters.laterAttempts.at(
        shared.agent,
        shared.upstream,
        record.asked === '' ? 'retry' : 'fallback',
      ).value += 1;
    if (!wasSent(record)) return;
    countUsage(record, shared);
    if (record.operation !== '') observeOperation(record, shared);
  }

  function countTrouble(record: CallRecord, who: string): void {
    const { refusal, verdict, wouldVerdict, upstreamStatus } = record;
    if (refusal !== '') counters.refusals.at(who, refusal).value += 1;
    if (wouldVerdict !== verdict) counters.wouldRefuse.at(who, wouldVerdict).value += 1;
    if (refusal === 'no_credential' || upstreamStatus === 401)
      counters.credentialFailures.at(labels.credential(record)).value += 1;
  }

  function countUsage(record: CallRecord, shared: Shared): void {
    if (record.costNanodollars !== null) {
      shared.cost ??= counters.cost.at(shared.agent, shared.upstream, shared.model);
      shared.cost.value += Number(record.costNanodollars);
    }
    countTokens(shared, 'input', record.tokensIn);
    countTokens(shared, 'output', record.tokensOut);
    countTokens(shared, 'cached', record.tokensCached);
  }

  function countTokens(
    { tokens, agent: who, upstream, model }: Shared,
    type: TokenType,
    count: number | null,
  ) {
    if (count === null) return;
    tokens[type] ??= counters.tokens.at(who, upstream, model, type);
    tokens[type].value += count;
  }

  function observeOperation(record: CallRecord, shared: Shared): void {
    const of = [shared.agent, record.operation, record.provider, shared.requestModel] as const;
    shared.duration ??= histograms.durations.at(...of, labels.errorType(record.errorType));
    observe(shared.duration, record.durationMs / 1000);
    for (const type of ['input', 'output'] as const) {
      const count = type === 'input' ? record.tokensIn : record.tokensOut;
      if (count === null) continue;
      shared.usage[type] ??= histograms.usage.at(...of, type);
      observe(shared.usage[type], count);
    }
    if (!record.stream || record.timeToFirstByteMs === null) return;
    shared.firstChunk ??= histograms.firstChunks.at(...of);
    observe(shared.firstChunk, record.timeToFirstByteMs / 1000);
  }

  function showZeros(): void {
    const entry = agent === null ? undefined : agentNamed(config(), agent);
    const shown = entry ? [entry.pattern] : [...config().agents.keys()].slice(0, AGENTS_SHOWN_MAX);
    for (const pattern of shown) {
      for (const code of REFUSAL_CODES) counters.refusals.at(pattern, code);
      for (const verdict of ['deny', 'ask']) counters.wouldRefuse.at(pattern, verdict);
      for (const upstream of config().upstreams.keys()) counters.calls.at(pattern, upstream, 'success');
    }
    for (const credential of config().credentials.keys()) counters.credentialFailures.at(credential);
  }

  return {
    count,
    render(gauges) {
      showZeros();
      const counted = [...Object.values(counters), ...Object.values(histograms)];
      return exposition([...counted.map((each) => each.family()), ...familiesOf(gauges)]);
    },
  };
}

/** Nothing was asked of anyone by a call that was refused, whatever model it named. */
function wasSent({ status }: CallRecord): boolean {
  return status !== 'refused' && status !== 'escalated';
}

const quotas = (upstreams: Iterable<string>): Family =>
  familyOf(
    'outrider_quota_spent',
    [...upstreams].map((upstream) => ({ labels: { upstream }, value: 1 })),
  );

/** The longest open come first in, and stay. */
const CIRCUITS_SHOWN_MAX = 64;

const circuitStates = (states: readonly (readonly [string, CircuitState])[]): Family =>
  familyOf(
    'outrider_circuit_state',
    states.slice(0, CIRCUITS_SHOWN_MAX).map(([circuit, state]) => ({
      labels: { circuit },
      value: CIRCUIT_STATES.indexOf(state),
    })),
  );

function familiesOf({
  journal,
  book,
  circuits,
  throttles,
  bodies,
  leases,
  shipper,
  inFlight,
}: Gauges): Family[] {
  const states = [...circuits.states()];
  const notClosed = states.filter(([, state]) => state !== 'closed');
  const figures = figuresOf({
    outrider_calls_in_flight: inFlight(),
    outrider_body_bytes_in_flight: bodies.bytesInFlight,
    outrider_journal_bytes: journal.bytes,
    outrider_circuits_not_closed: notClosed.length,
    outrider_ledger_reachable: leases.unreachable() ? 0 : 1,
    outrider_collector_reachable: shipper.lastFailure === null ? 1 : 0,
    outrider_refusals_unrecorded_total: book.unrecorded,
    outrider_journal_writable: journal.failing ? 0 : 1,
    ...processFigures(),
  });
  return [...figures, circuitStates(states), quotas(throttles.spent())];
}
