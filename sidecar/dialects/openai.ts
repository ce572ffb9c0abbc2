// OpenAI's API, and what speaks it: Azure, Groq, Mistral, vLLM, Ollama. One room per question in `openai/`.

import { whyClosed } from './closed-paths.ts';
import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { listedModels } from './model-list.ts';
import { keptFile } from './openai/batch.ts';
import { bridge } from './openai/bridge.ts';
import { CLOSED } from './openai/closed-paths.ts';
import { describe } from './openai/describe.ts';
import { meterStream, meterWhole } from './openai/meter.ts';
import { recognise } from './openai/recognise.ts';
import { refuse } from './openai/refuse.ts';
import { splices } from './openai/splice.ts';
import { throttle } from './openai/throttle.ts';
import { credentialHeader } from './openai/ways.ts';
import { isEventStream } from './sse.ts';

export const openai: Dialect = {
  name: 'openai',
  recognise,
  describe,
  splices,
  meterWhole,
  meterStream,
  streams: isEventStream,
  rewriter: (view) =>
    view.description.endpoint.name === 'file_upload' ? keptFile(view) : listedModels(view),
  whyClosed: (head) => whyClosed(CLOSED, head),
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader,
  bridge,
  throttle,
  refuse,
};
