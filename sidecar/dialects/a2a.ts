// Another agent, by the Agent2Agent protocol, versions 0.3 and 1.0: its JSON-RPC and its HTTP+JSON binding, and the card
// that says where they are. One room per question in `a2a/`.

import { rewrittenCard } from './a2a/card.ts';
import { describe } from './a2a/describe.ts';
import { meterStream, meterWhole } from './a2a/meter.ts';
import { recognise } from './a2a/recognise.ts';
import { refuse } from './a2a/refuse.ts';
import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { isEventStream } from './sse.ts';
import { readThrottle } from './throttle.ts';

export const a2a: Dialect = {
  name: 'a2a',
  recognise,
  describe,
  splices: () => [],
  meterWhole,
  meterStream,
  streams: isEventStream,
  rewriter: rewrittenCard,
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader: (secret) => ['authorization', `Bearer ${secret}`],
  throttle: readThrottle,
  refuse,
};
