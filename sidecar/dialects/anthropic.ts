// Anthropic's Messages API, and what speaks it. One room per question in `anthropic/`; nothing is ever spliced in, since
// `max_tokens` is required and streams report their usage unasked.

import { bridge } from './anthropic/bridge.ts';
import { CLOSED } from './anthropic/closed-paths.ts';
import { describe } from './anthropic/describe.ts';
import { meterStream, meterWhole } from './anthropic/meter.ts';
import { recognise } from './anthropic/recognise.ts';
import { refuse } from './anthropic/refuse.ts';
import { throttle } from './anthropic/throttle.ts';
import { whyClosed } from './closed-paths.ts';
import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { modelInBody } from './for-model.ts';
import { listedModels } from './model-list.ts';
import { isEventStream } from './sse.ts';

export const anthropic: Dialect = {
  name: 'anthropic',
  recognise,
  describe,
  splices: () => [],
  meterWhole,
  meterStream,
  streams: isEventStream,
  rewriter: listedModels,
  forModel: modelInBody,
  whyClosed: (head) => whyClosed(CLOSED, head),
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader: (secret) => ['x-api-key', secret],
  bridge,
  throttle,
  refuse,
};
