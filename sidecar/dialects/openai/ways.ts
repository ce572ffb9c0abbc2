// In what the servers that speak OpenAI's API differ by who they are: the header of the credential, the field of a chat's
// output limit, and whether a stream has to be asked for its usage (Mistral reports it always and refuses to be asked).
// OpenAI and Azure know both limits and their reasoning models only `max_completion_tokens`; of all
// others only `max_tokens` is sure to be obeyed (Mistral refuses the other, Ollama and older vLLM pass over it).

import type { Upstream } from '../../../contract/config/config.ts';

export interface Ways {
  readonly chatLimit: 'max_completion_tokens' | 'max_tokens';
  readonly reportsUnasked: boolean;
  /** Azure's own keys go into `api-key`; its tokens of Entra ID are bearer tokens as anywhere. */
  readonly keyHeader: 'authorization' | 'api-key';
}

const OPENAI: Ways = {
  chatLimit: 'max_completion_tokens',
  reportsUnasked: false,
  keyHeader: 'authorization',
};
const AZURE: Ways = { ...OPENAI, keyHeader: 'api-key' };
const COMPATIBLE: Ways = { ...OPENAI, chatLimit: 'max_tokens' };
const MISTRAL: Ways = { ...COMPATIBLE, reportsUnasked: true };

const AZURE_HOST = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/;
const BY_NAME: Readonly<Record<string, Ways>> = { openai: OPENAI, azure: AZURE, mistral: MISTRAL };
const known = new WeakMap<Upstream, Ways>();

/** Its url's host says who it is, else `priced_as`, else its name. Without an upstream it is OpenAI. */
export function waysOf(upstream: Upstream | undefined): Ways {
  if (!upstream) return OPENAI;
  let ways = known.get(upstream);
  if (!ways) {
    ways = find(upstream);
    known.set(upstream, ways);
  }
  return ways;
}

export const isAzure = (upstream: Upstream): boolean => waysOf(upstream) === AZURE;

function find({ name, url, pricedAs }: Upstream): Ways {
  const { hostname } = new URL(url);
  if (AZURE_HOST.test(hostname)) return AZURE;
  if (hostname === 'api.openai.com') return OPENAI;
  if (/(?:^|\.)mistral\.ai$/.test(hostname)) return MISTRAL;
  return BY_NAME[pricedAs ?? name] ?? COMPATIBLE;
}

/** A token of Entra ID is a JWT. */
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

export function credentialHeader(secret: string, upstream: Upstream): readonly [name: string, value: string] {
  if (waysOf(upstream).keyHeader === 'api-key' && !JWT.test(secret)) return ['api-key', secret];
  return ['authorization', `Bearer ${secret}`];
}
