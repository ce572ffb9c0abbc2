// The table of docs/dead-letters.md, row by row: how a call ended, and whether that makes a letter.

import { describe, expect, it } from 'vitest';
import { Refusal, type RefusalCode } from '../../../contract/refusals.ts';
import type { Known } from '../../../sidecar/call.ts';
import type { Charge, Ending } from '../../../sidecar/charge.ts';
import { asksForSomething, lostMarkOf, markOf } from '../../../sidecar/dead-letters/mark.ts';
import { SendFailure } from '../../../sidecar/edges/upstreams.ts';

const TOKENS = { operation: 'chat', billed: 'tokens', name: 'chat', body: 'object' };
const CALL = { operation: null, billed: 'call', name: 'call', body: null };
const asked = { requests: [], acts: [], outlivesAnswer: false, model: 'm' };
const tool = [{ method: 'tools/call', name: 'send_mail', args: {} }];

const call = (more: object): Known =>
  ({
    to: { kind: 'upstream', name: 'u' },
    method: 'POST',
    endpoint: CALL,
    description: asked,
    ...more,
  }) as never;
const http = (method: string) => call({ method, upstream: { speaks: 'http' } });
const model = call({ upstream: { speaks: 'openai' }, endpoint: TOKENS });
const mcp = call({ upstream: { speaks: 'mcp' }, description: { ...asked, acts: tool } });
const a2a = call({
  upstream: { speaks: 'a2a' },
  description: { ...asked, acts: [{ method: 'SendMessage' }] },
});
const background = call({
  upstream: { speaks: 'openai' },
  endpoint: TOKENS,
  description: { ...asked, outlivesAnswer: true },
});
const REPEATABLE = [model, ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'].map(http)];
const ONCE = [mcp, a2a, background, http('POST'), http('PATCH')];

const answered: Ending = { kind: 'answered', metered: null, upstreamStatus: 0 };
const refused = (code: RefusalCode, sent: boolean): Ending => ({
  kind: 'refused',
  refusal: new Refusal(code, ''),
  sent,
});
const mark = (of: Known, ending: Ending, upstreamStatus = 0, status = 'failure') =>
  markOf(of, ending, { status, errorType: 'e' } as Charge, upstreamStatus);
const marks = (calls: readonly Known[], ending: Ending, upstreamStatus?: number) => [
  ...new Set(calls.map((each) => mark(each, ending, upstreamStatus))),
];

describe('an answer', () => {
  it('without an error makes none', () => {
    for (const each of [...REPEATABLE, ...ONCE]) expect(mark(each, answered, 200, 'success')).toBeNull();
  });
  it.each([400, 413, 415, 422])('%d is invalid input', (status) => {
    expect(marks([...REPEATABLE, ...ONCE], answered, status)).toEqual(['invalid_input']);
  });
  it.each([408, 501, 503, 505, 529])('%d failed: it was not begun', (status) => {
    expect(marks([...REPEATABLE, ...ONCE], answered, status)).toEqual(['failed']);
  });
  it.each([500, 502, 504, 507, 599])('%d failed, or may have happened', (status) => {
    expect(marks(REPEATABLE, answered, status)).toEqual(['failed']);
    expect(marks(ONCE, answered, status)).toEqual(['outcome_unknown']);
  });
  it.each([401, 402, 403, 404, 405, 409, 410, 429, 451])('%d makes none', (status) => {
    expect(marks([...REPEATABLE, ...ONCE], answered, status)).toEqual([null]);
  });
  it("200 with an error inside is a letter of a model's alone: a tool's was heard", () => {
    expect(mark(model, answered, 200)).toBe('failed');
    expect(marks([mcp, a2a], answered, 200)).toEqual([null]);
  });
});

describe('no answer', () => {
  const timeout = new SendFailure('timeout', true, null);
  it.each<[string, Ending]>([
    ['broke off', { kind: 'broken', metered: null, failure: timeout }],
    ['timed out after bytes were sent', refused('upstream_timeout', true)],
    ['lost after bytes were sent', refused('upstream_unreachable', true)],
    ['ours alone failed after bytes were sent', refused('audit_unavailable', true)],
  ])('%s: failed, or may have happened', (_, ending) => {
    expect(marks(REPEATABLE, ending)).toEqual(['failed']);
    expect(marks(ONCE, ending)).toEqual(['outcome_unknown']);
  });
  it.each(['upstream_unreachable', 'upstream_timeout'] as const)('%s before a byte failed', (code) => {
    expect(marks([...REPEATABLE, ...ONCE], refused(code, false))).toEqual(['failed']);
  });
  it('a crash may have happened, or may be repeated', () => {
    expect(REPEATABLE.map(lostMarkOf)).toEqual(REPEATABLE.map(() => 'failed'));
    expect(ONCE.map(lostMarkOf)).toEqual(ONCE.map(() => 'outcome_unknown'));
  });
});

describe('an end by a hand of ours or of the agent’s', () => {
  it.each<[string, Ending]>([
    ['hung up', { kind: 'hung_up', metered: null, sent: true }],
    ['cut at its hold', { kind: 'cut', metered: null, outputTokens: 1 }],
  ])('%s makes none', (_, ending) => {
    expect(marks([...REPEATABLE, ...ONCE], ending)).toEqual([null]);
  });
  it('a quarantine after bytes were sent leaves what may have happened', () => {
    const interrupted: Ending = {
      kind: 'interrupted',
      metered: null,
      refusal: new Refusal('agent_quarantined', ''),
      legally: true,
    };
    for (const ending of [interrupted, refused('agent_quarantined', true)]) {
      expect(marks(REPEATABLE, ending)).toEqual([null]);
      expect(marks(ONCE, ending)).toEqual(['outcome_unknown']);
    }
  });
  it.each([
    ...([
      'prohibited',
      'out_of_scope',
      'approval_needed',
      'over_budget',
      'unpriced',
      'rate_limited',
    ] as const),
    ...([
      'circuit_open',
      'no_credential',
      'draining',
      'destination_forbidden',
      'ledger_unreachable',
    ] as const),
    ...(['bad_request', 'agent_quarantined'] as const),
  ])('%s makes none', (code) => {
    expect(marks([...REPEATABLE, ...ONCE], refused(code, false))).toEqual([null]);
  });
});

describe('what never is a letter', () => {
  it.each<[string, object]>([
    ['a tunnel', { to: { kind: 'tunnel', host: 'h', port: 1 } }],
    ['a WebSocket', { outbound: { becomes: 'websocket' } }],
    ['a stream only listened to', { description: { ...asked, listens: true } }],
    ['what any rule covers', { endpoint: { ...CALL, billed: 'free' } }],
    ['what nobody could read', { endpoint: undefined }],
  ])('%s', (_, more) => {
    const of = call({ upstream: { speaks: 'http' }, ...more });
    expect(asksForSomething(of)).toBe(false);
    expect(mark(of, answered, 500)).toBeNull();
  });
});
