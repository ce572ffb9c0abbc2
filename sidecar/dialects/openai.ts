// OpenAI's API, and what speaks it: Azure, Groq, Mistral, vLLM, Ollama. One room per question in `openai/`.

import type { AskedCall, CarriedCall } from './bridge.ts';
import { whyClosed } from './closed-paths.ts';
import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { modelInBody, modelInPath } from './for-model.ts';
import { listedModels } from './model-list.ts';
import { keptFile } from './openai/batch.ts';
import { bridge } from './openai/bridge.ts';
import { CLOSED } from './openai/closed-paths.ts';
import { describe } from './openai/describe.ts';
import { meterStream, meterWhole } from './openai/meter.ts';
import { deploymentOf, recognise } from './openai/recognise.ts';
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
  forModel,
  whyClosed: (head) => whyClosed(CLOSED, head),
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader,
  bridge,
  throttle,
  refuse,
};

/** Azure has the model's deployment in the path. */
function forModel(asked: AskedCall, model: string, elsewhere: string | null): CarriedCall | null {
  const deployment = deploymentOf(asked.head.path);
  if (deployment === null) return modelInBody(asked, model, elsewhere);
  const place = { name: `/deployments/${deployment}/`, next: `/deployments/${model}/` };
  return modelInPath(asked, place, model, elsewhere);
}
