// OpenAI's API, and what speaks it: Azure, Groq, Mistral, vLLM, Ollama. One room per question in `openai/`.

import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { listedModels } from './model-list.ts';
import { describe } from './openai/describe.ts';
import { meterStream, meterWhole } from './openai/meter.ts';
import { recognise } from './openai/recognise.ts';
import { refuse } from './openai/refuse.ts';
import { splices } from './openai/splice.ts';
import { isEventStream } from './sse.ts';

export const openai: Dialect = {
  name: 'openai',
  recognise,
  describe,
  splices,
  meterWhole,
  meterStream,
  streams: isEventStream,
  rewriter: listedModels,
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader: (secret) => ['authorization', `Bearer ${secret}`],
  refuse,
};
