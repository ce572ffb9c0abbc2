// Members of a request that OpenAI does not know, by which servers that speak its API run something of their own: a search
// at a fee, a parser of files. Each is judged like a tool that runs at the provider, by the member's name
// (`hosted router/plugins`). Sources: xAI "Live search", OpenRouter "Plugins", Alibaba Model Studio "Web search", Azure
// "On your data"; for input that is stored elsewhere Gemini's "OpenAI compatibility".

import type { Description, Json, JsonObject } from '../dialect.ts';

export const SERVERS_OWN = ['search_parameters', 'plugins', 'enable_search', 'data_sources'] as const;
/** May name what was stored before: input that is not in the body. */
const ELSEWHERE = 'extra_body';

const isAsked = (value: Json | undefined): boolean =>
  value !== undefined && value !== null && value !== false;

export function withServersOwn(asked: Description, body: JsonObject): Description {
  if (!SERVERS_OWN.some((member) => isAsked(body[member])))
    return isAsked(body[ELSEWHERE]) ? { ...asked, inputTokensMax: 'context_window' } : asked;
  const found = SERVERS_OWN.filter((member) => isAsked(body[member]));
  return {
    ...asked,
    inputTokensMax: 'context_window',
    hostedTools: [...asked.hostedTools, ...found],
    hostedArgs: [...asked.hostedArgs, ...found.map((member) => ({ [member]: body[member]! }))],
    unmeterable: asked.unmeterable ?? `what ${found.join(', ')} costs is not reported in the answer`,
  };
}
