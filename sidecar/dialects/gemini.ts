// Google's Gemini API, its twin on Vertex AI, and Anthropic's models there. One room per question in `gemini/`.

import { VERTEX_HOST } from '../../contract/attributes.ts';
import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { modelInPath } from './for-model.ts';
import { bridge } from './gemini/bridge.ts';
import { describe } from './gemini/describe.ts';
import { meterStream, meterWhole } from './gemini/meter.ts';
import { listedModels } from './gemini/models.ts';
import { isStreamed, recognise } from './gemini/recognise.ts';
import { refuse } from './gemini/refuse.ts';
import { splices } from './gemini/splice.ts';
import { throttle } from './gemini/throttle.ts';
import { isEventStream } from './sse.ts';

const isJson = (contentType: string): boolean => /^application\/json\b/i.test(contentType);

export const gemini: Dialect = {
  name: 'gemini',
  recognise,
  describe,
  splices,
  meterWhole,
  meterStream,
  streams: (contentType, { endpoint }) =>
    isEventStream(contentType) || (isStreamed(endpoint) && isJson(contentType)),
  rewriter: listedModels,
  forModel(asked, model, elsewhere) {
    const place = { name: `/models/${asked.description.model}:`, next: `/models/${model}:` };
    return modelInPath(asked, place, model, elsewhere);
  },
  bridge,
  credentialHeaders: CREDENTIAL_HEADERS,
  // Vertex takes a token of Google Cloud's, the Gemini API a key.
  credentialHeader: (secret, { url }) =>
    VERTEX_HOST.test(new URL(url).hostname)
      ? ['authorization', `Bearer ${secret}`]
      : ['x-goog-api-key', secret],
  throttle,
  refuse,
};
