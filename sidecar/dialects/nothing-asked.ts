// The description of a request that asks a model for nothing: where every other description begins.

import type { Description, Endpoint } from './dialect.ts';

export const nothingAsked = (endpoint: Endpoint): Description => ({
  endpoint,
  model: null,
  stream: false,
  inputTokensMax: 0,
  outputTokensMax: 0,
  outputTokensBesides: 0,
  choices: 1,
  toolsOffered: [],
  hostedTools: [],
  hostedArgs: [],
  requests: [],
  inputFile: null,
  outlivesAnswer: false,
  hostedUsesMax: 0,
  serviceTier: null,
  unmeterable: null,
  mustAskForUsage: false,
  acts: [],
  callsBack: [],
  rewritten: false,
});
