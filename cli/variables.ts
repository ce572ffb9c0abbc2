// The variables by which agents' libraries are pointed at a sidecar: base URLs of every upstream that speaks an LLM
// dialect, and placeholder keys of the right shape, worth nothing anywhere.

import { VERTEX_HOST } from '../contract/attributes.ts';
import type { Config } from '../contract/config/config.ts';

/** Worth nothing: the sidecar puts the real credential in. Clients refuse to start without some key. */
export const PLACEHOLDER_KEY = 'outrider-placeholder-key';

/** For the first upstream of each dialect; `proxy` is the sidecar's URL. An agent's own key is left alone where it is forwarded. */
export function agentVariables(config: Config, proxy: string): Record<string, string> {
  const variables: Record<string, string> = { OUTRIDER_PROXY: proxy };
  const upstreams = [...config.upstreams.values()];
  const openai = upstreams.find(({ speaks }) => speaks === 'openai');
  if (openai) {
    const base = `${proxy}/${openai.name}${openai.url.endsWith('/v1') ? '' : '/v1'}`;
    variables.OPENAI_BASE_URL = base;
    variables.OPENAI_API_BASE = base;
    if (openai.credential !== 'agent') variables.OPENAI_API_KEY = PLACEHOLDER_KEY;
  }
  const anthropic = upstreams.find(({ speaks }) => speaks === 'anthropic');
  if (anthropic) {
    variables.ANTHROPIC_BASE_URL = `${proxy}/${anthropic.name}`;
    if (anthropic.credential !== 'agent') variables.ANTHROPIC_API_KEY = PLACEHOLDER_KEY;
  }
  const gemini = upstreams.find(({ speaks }) => speaks === 'gemini');
  if (gemini) {
    const vertex = VERTEX_HOST.test(new URL(gemini.url).hostname);
    variables[vertex ? 'GOOGLE_VERTEX_BASE_URL' : 'GOOGLE_GEMINI_BASE_URL'] = `${proxy}/${gemini.name}`;
    if (gemini.credential !== 'agent') variables.GEMINI_API_KEY = PLACEHOLDER_KEY;
  }
  return variables;
}
