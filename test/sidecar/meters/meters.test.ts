// What the sidecar counts: every series under its own labels, and never more series than there is room for.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../../contract/config/config.ts';
import { MODEL_LABELS_MAX } from '../../../contract/metrics.ts';
import { createMeters, type Gauges } from '../../../sidecar/meters/meters.ts';
import type { CallRecord } from '../../../sidecar/record.ts';
import { configOf } from '../../collector/control/bench.ts';
import { seriesValue } from '../../support/exposition.ts';
import { promtoolComplaints } from '../../support/promtool.ts';
import { exampleRecord } from '../example-record.ts';

let config: Config;
beforeAll(async () => {
  config = await configOf(`
upstreams: { openai: { url: https://api.openai.com, speaks: openai, credential: key } }
credentials: { key: { from: env:KEY }, own: { from: env:OWN } }
agents: { scout: { role: any }, pr-*: { role: any, credentials: { openai: own } } }`);
});

const healthy: Gauges = {
  journal: { bytes: 7, failing: false },
  book: { unrecorded: 0 },
  circuits: { states: () => new Map([['openai', 'open']]) },
  throttles: { spent: () => ['openai'] },
  bodies: { bytesInFlight: 0 },
  leases: { unreachable: () => false },
  shipper: { lastFailure: null },
  inFlight: () => 3,
};

async function shown(
  records: readonly Partial<CallRecord>[],
  gauges = healthy,
  agent: string | null = 'scout',
) {
  const meters = createMeters(() => config, agent);
  for (const record of records) meters.count(exampleRecord(record));
  const { text } = await meters.render(gauges);
  expect(promtoolComplaints(text)).toBe('');
  return text;
}

const CHAT =
  'agent="scout",gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-5-mini"';

describe('calls', () => {
  test('a call is counted with its cost, tokens and answer', async () => {
    const text = await shown([{}, {}, { status: 'failure', upstreamStatus: 500, errorType: 'server_error' }]);
    const of = (series: string) => seriesValue(text, series);
    expect(of('outrider_calls_total{agent="scout",upstream="openai",status="success"}')).toBe(2);
    expect(of('outrider_calls_total{agent="scout",upstream="openai",status="failure"}')).toBe(1);
    const spent = 'agent="scout",upstream="openai",model="gpt-5-mini"';
    expect(of(`outrider_cost_dollars_total{${spent}}`)).toBe(0.0008193);
    expect(of(`outrider_tokens_total{${spent},type="input"}`)).toBe(570);
    expect(of(`outrider_tokens_total{${spent},type="cached"}`)).toBe(192);
    expect(of('outrider_upstream_responses_total{upstream="openai",code="500"}')).toBe(1);
  });

  test('the GenAI histograms have cumulative buckets, a sum and a count', async () => {
    const text = await shown([{ durationMs: 12.5 }, { durationMs: 100_000, stream: true }]);
    const of = (rest: string) => seriesValue(text, `gen_ai_client_operation_duration_seconds${rest}`);
    expect(of(`_bucket{${CHAT},error_type="",le="0.01"}`)).toBe(0);
    expect(of(`_bucket{${CHAT},error_type="",le="0.02"}`)).toBe(1);
    expect(of(`_bucket{${CHAT},error_type="",le="81.92"}`)).toBe(1);
    expect(of(`_bucket{${CHAT},error_type="",le="+Inf"}`)).toBe(2);
    expect(of(`_count{${CHAT},error_type=""}`)).toBe(2);
    expect(of(`_sum{${CHAT},error_type=""}`)).toBeCloseTo(100.0125, 9);
    const first = 'gen_ai_client_operation_time_to_first_chunk_seconds_count';
    expect(seriesValue(text, `${first}{${CHAT}}`)).toBe(1);
  });

  test('a refused call is a refusal and no operation of a model', async () => {
    const refused = {
      status: 'refused',
      refusal: 'out_of_scope',
      upstreamStatus: 0,
      tokensIn: null,
    } as const;
    const text = await shown([refused]);
    expect(seriesValue(text, 'outrider_refusals_total{agent="scout",refusal="out_of_scope"}')).toBe(1);
    expect(seriesValue(text, 'outrider_refusals_total{agent="scout",refusal="prohibited"}')).toBe(0);
    expect(text).not.toContain('gen_ai_client_operation_duration_seconds');
  });

  test('what observing let pass is counted apart', async () => {
    const text = await shown([{ mode: 'observe', verdict: 'allow', wouldVerdict: 'deny' }, {}]);
    expect(seriesValue(text, 'outrider_would_refuse_total{agent="scout",would_verdict="deny"}')).toBe(1);
    expect(seriesValue(text, 'outrider_would_refuse_total{agent="scout",would_verdict="ask"}')).toBe(0);
  });

  test('a credential that could not be read, or was answered 401, is named', async () => {
    const unread = {
      status: 'refused',
      refusal: 'no_credential',
      credential: '',
      upstreamStatus: 0,
    } as const;
    const text = await shown(
      [
        unread,
        { ...unread, agent: 'pr-7' },
        { upstreamStatus: 401 },
        { upstreamStatus: 401, credential: 'agent:0a1b' },
      ],
      healthy,
      null,
    );
    const of = (credential: string) =>
      seriesValue(text, `outrider_credential_failures_total{credential="${credential}"}`);
    expect([of('key'), of('own'), of('openai'), of('agent')]).toEqual([1, 1, 1, 1]);
  });
});

describe('labels', () => {
  test('agents of a pattern share it, and strangers share one name', async () => {
    const text = await shown([{ agent: 'pr-1' }, { agent: 'pr-2' }, { agent: '' }], healthy, null);
    expect(seriesValue(text, 'outrider_calls_total{agent="pr-*",upstream="openai",status="success"}')).toBe(
      2,
    );
    expect(
      seriesValue(text, 'outrider_calls_total{agent="unknown",upstream="openai",status="success"}'),
    ).toBe(1);
  });

  test('made-up models, upstreams and errors end in one series', async () => {
    const many = Array.from({ length: MODEL_LABELS_MAX + 10 }, (_, i) => ({
      model: `model-${i}`,
      requestModel: `model-${i}`,
      upstream: `nowhere-${i}`,
      errorType: `oops-${i}`,
    }));
    const text = await shown(many);
    const models = new Set([...text.matchAll(/gen_ai_request_model="([^"]*)"/g)].map((match) => match[1]));
    expect(models.size).toBe(MODEL_LABELS_MAX + 1);
    expect(models).toContain('other');
    expect(text).not.toContain('nowhere-');
    expect(new Set([...text.matchAll(/error_type="([^"]*)"/g)].map((match) => match[1])).size).toBe(33);
    expect(
      seriesValue(text, 'outrider_cost_dollars_total{agent="scout",upstream="other",model="other"}'),
    ).toBeCloseTo(10 * 0.0002731, 9);
  });
});

test('gauges say what is broken', async () => {
  const text = await shown([], {
    ...healthy,
    journal: { bytes: 9, failing: true },
    leases: { unreachable: () => true },
    shipper: { lastFailure: 'ECONNREFUSED' },
  });
  expect(seriesValue(text, 'outrider_journal_writable')).toBe(0);
  expect(seriesValue(text, 'outrider_ledger_reachable')).toBe(0);
  expect(seriesValue(text, 'outrider_collector_reachable')).toBe(0);
  expect(seriesValue(text, 'outrider_circuits_not_closed')).toBe(1);
  expect(seriesValue(text, 'outrider_circuit_state{circuit="openai"}')).toBe(2);
  expect(seriesValue(text, 'outrider_quota_spent{upstream="openai"}')).toBe(1);
  expect(seriesValue(text, 'outrider_calls_in_flight')).toBe(3);
});
