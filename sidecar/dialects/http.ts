// Anything that speaks HTTP and no dialect we know: every path is an endpoint, nothing is metered, and a call costs what
// `prices:` says per call.

import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect, Endpoint } from './dialect.ts';
import type { StreamMeter } from './metered.ts';
import { nothingAsked } from './nothing-asked.ts';
import { NOTHING_METERED } from './stream-meter.ts';
import { readThrottle } from './throttle.ts';

const CALL: Endpoint = { operation: null, billed: 'call', name: 'call', body: null };
const NOTHING = Buffer.alloc(0);

export const http: Dialect = {
  name: 'http',
  recognise: () => CALL,
  describe: (endpoint) => nothingAsked(endpoint),
  splices: () => [],
  meterWhole: (_description, _bytes, ok) => ({
    ...NOTHING_METERED,
    errorType: ok ? null : 'error',
    complete: true,
  }),
  meterStream: (): StreamMeter => ({
    push: (chunk) => chunk,
    flush: () => NOTHING,
    metered: () => ({ ...NOTHING_METERED, complete: true }),
    outputTokensSeen: () => 0,
    unfinishedBytes: () => 0,
    cut: () => NOTHING,
  }),
  streams: () => false,
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader: (secret) => ['authorization', `Bearer ${secret}`],
  throttle: readThrottle,
  refuse(refusal, { callId }) {
    const { status, advice } = refusal.kind;
    const error = {
      ...refusal.detail.facts,
      code: refusal.code,
      message: `${refusal.message} ${advice}`,
      ...(refusal.detail.reason !== undefined && { reason: refusal.detail.reason }),
      call_id: callId,
    };
    return { status, contentType: 'application/json', body: JSON.stringify({ error }) };
  },
};
