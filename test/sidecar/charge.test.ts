// The rows of "The record": what an ended call is charged, and how sure that is.

import { beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../contract/config/parse.ts';
import { Refusal, type RefusalCode } from '../../contract/refusals.ts';
import { type Chargeable, charge, type Ending } from '../../sidecar/charge.ts';
import type { Description } from '../../sidecar/dialects/dialect.ts';
import type { Metered, Usage } from '../../sidecar/dialects/metered.ts';
import { openai } from '../../sidecar/dialects/openai.ts';
import { NOTHING_METERED } from '../../sidecar/dialects/stream-meter.ts';
import { SendFailure } from '../../sidecar/edges/upstreams.ts';
import { createPriceBook, type PriceBook } from '../../sidecar/state/prices.ts';

const YAML = `fleet: test
budgets: none
upstreams: { openai: { url: https://api.openai.com, speaks: openai } }
roles: { r: { allow: [llm openai/*] } }
agents: { scout: { role: r } }
prices: { openai/m: { input: 1, cached_input: 0.1, output: 10, max_output: 100 } }
`;
const USAGE: Usage = {
  uncachedInputTokens: 600,
  cachedInputTokens: 400,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  outputTokens: 50,
  reasoningTokens: 0,
  hostedUses: {},
};
// (600 × $1 + 400 × $0.10 + 50 × $10) per million
const COST = 1_140_000n;
const HELD = { nanodollars: 5_000_000n, tokens: 2_000n };

let prices: PriceBook;
let call: Chargeable;

beforeAll(async () => {
  const { config } = await parseConfig([{ file: 'test.yaml', text: YAML }]);
  prices = createPriceBook(config);
  const head = { method: 'POST', path: '/v1/chat/completions', query: '', headers: {} };
  const endpoint = openai.recognise(head)!;
  const body = { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: 100 };
  const description: Description = openai.describe(endpoint, head, body, Buffer.from(JSON.stringify(body)));
  const upstream = config.upstreams.get('openai')!;
  call = {
    upstream,
    dialect: openai,
    endpoint,
    description,
    price: prices.priceOf(upstream, 'm', 0),
    held: HELD,
    outputTokensWritten: null,
  };
});

const metered = (more: Partial<Metered>): Metered => ({
  ...NOTHING_METERED,
  model: 'm',
  complete: true,
  ...more,
});
const refused = (code: RefusalCode, sent: boolean): Ending => ({
  kind: 'refused',
  refusal: new Refusal(code, 'x'),
  sent,
});

interface Case {
  readonly name: string;
  readonly ending: () => Ending;
  readonly status: string;
  readonly cost: bigint | null;
  readonly source: string;
}

const cases: Case[] = [
  {
    name: 'answered',
    ending: () => ({ kind: 'answered', metered: metered({ usage: USAGE }), upstreamStatus: 200 }),
    status: 'success',
    cost: COST,
    source: 'reported',
  },
  {
    name: 'SSE-05, BUD-08: answered without usage: the hold',
    ending: () => ({ kind: 'answered', metered: metered({}), upstreamStatus: 200 }),
    status: 'success',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'BUD-10: upstream 500: nothing',
    ending: () => ({
      kind: 'answered',
      metered: metered({ errorType: 'server_error' }),
      upstreamStatus: 500,
    }),
    status: 'failure',
    cost: 0n,
    source: 'none',
  },
  {
    name: 'an error inside a stream: what was reported',
    ending: () => ({
      kind: 'answered',
      metered: metered({ errorType: 'overloaded_error', partial: { ...USAGE, outputTokens: 0 } }),
      upstreamStatus: 200,
    }),
    status: 'failure',
    cost: 640_000n,
    source: 'reported',
  },
  {
    name: 'broken off: the hold',
    ending: () => ({ kind: 'broken', metered: null, failure: null }),
    status: 'failure',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'idle for too long: the hold',
    ending: () => ({ kind: 'broken', metered: null, failure: new SendFailure('timeout', true, null) }),
    status: 'timeout',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'BUD-11: timed out before byte one: the hold',
    ending: () => refused('upstream_timeout', true),
    status: 'timeout',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'BUD-10: connection refused: nothing',
    ending: () => refused('upstream_unreachable', false),
    status: 'failure',
    cost: 0n,
    source: 'none',
  },
  {
    name: 'lost after it was sent: the hold',
    ending: () => refused('upstream_unreachable', true),
    status: 'failure',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'out of scope: nothing',
    ending: () => refused('out_of_scope', false),
    status: 'refused',
    cost: 0n,
    source: 'none',
  },
  {
    name: 'approval needed: nothing',
    ending: () => refused('approval_needed', false),
    status: 'escalated',
    cost: 0n,
    source: 'none',
  },
  {
    name: 'cut at its hold with the input reported: what was made',
    ending: () => ({
      kind: 'cut',
      metered: metered({ partial: { ...USAGE, outputTokens: 1 } }),
      outputTokens: 50,
    }),
    status: 'success',
    cost: COST,
    source: 'estimated',
  },
  {
    name: 'cut at its hold: never more than that',
    ending: () => ({ kind: 'cut', metered: metered({}), outputTokens: 1_000_000 }),
    status: 'success',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'lost by our own failure after it was sent: the hold',
    ending: () => refused('audit_unavailable', true),
    status: 'failure',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'hung up when all was said: answered',
    ending: () => ({ kind: 'hung_up', metered: metered({ usage: USAGE }), sent: true }),
    status: 'success',
    cost: COST,
    source: 'reported',
  },
  {
    name: 'hung up when all was said and no usage: the hold, as if it had waited',
    ending: () => ({ kind: 'hung_up', metered: metered({}), sent: true }),
    status: 'success',
    cost: HELD.nanodollars,
    source: 'estimated',
  },
  {
    name: 'hung up before it was sent: nothing',
    ending: () => ({ kind: 'hung_up', metered: null, sent: false }),
    status: 'failure',
    cost: 0n,
    source: 'none',
  },
];

describe('a call that ended', () => {
  it.each(cases)('$name', ({ ending, status, cost, source }) => {
    const charged = charge(call, ending(), prices);
    expect(charged).toMatchObject({ status, cost, source });
    expect(charged.used.nanodollars).toBe(cost ?? 0n);
  });

  it('BUD-09: hung up in the middle: input bounded, output from the bytes seen plus a margin, never above the hold', () => {
    const few = charge(
      call,
      { kind: 'hung_up', metered: metered({ outputBytesSeen: 10, complete: false }), sent: true },
      prices,
    );
    const more = charge(
      call,
      { kind: 'hung_up', metered: metered({ outputBytesSeen: 30, complete: false }), sent: true },
      prices,
    );
    expect(few).toMatchObject({ status: 'failure', errorType: 'client_closed', source: 'estimated' });
    expect(more.cost! - few.cost!).toBe(20n * 10_000n);
    const endless = charge(
      call,
      { kind: 'hung_up', metered: metered({ outputBytesSeen: 1e9, complete: false }), sent: true },
      prices,
    );
    expect(endless.cost).toBeLessThanOrEqual(HELD.nanodollars);
    expect(endless.usage?.outputTokens).toBe(100);
  });

  it('that no price covers costs nobody knows what, not nothing', () => {
    const unpriced = charge(
      { ...call, price: null },
      { kind: 'answered', metered: metered({ usage: USAGE }), upstreamStatus: 200 },
      prices,
    );
    expect(unpriced).toMatchObject({ status: 'success', cost: null, usage: USAGE });
  });
});
