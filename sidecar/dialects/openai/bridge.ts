// How a call is carried between the homes of OpenAI's API: each has it under another path, and Azure names the model by a
// deployment, under a dated version or under `/openai/v1`. What one home keeps (stored answers, files, conversations,
// prompts), runs itself or bills by a tier is unknown at the next: such a call is not carried.

import { basePathOf } from '../../../contract/config/addresses.ts';
import type { Upstream } from '../../../contract/config/config.ts';
import type { AskedCall, Bridge, CarriedCall } from '../bridge.ts';
import type { Dialect, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { applySplices, insertMember, memberValue, replaceValue } from '../members.ts';
import { plainAnswer } from './azure-answer.ts';
import { isAzure } from './ways.ts';

const TAILS: Readonly<Record<string, string>> = {
  chat: 'chat/completions',
  responses: 'responses',
  completions: 'completions',
  embeddings: 'embeddings',
};
/** The last dated version that is no preview (learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle). */
const DATED = '?api-version=2024-10-21';
const VERSIONED = /\/v\d{1,2}(?:beta\/openai)?$/;
const NAME = /^[A-Za-z0-9._~-]+$/;

export function bridge(to: Dialect, upstream: Upstream): Bridge | null {
  if (to.name !== 'openai') return null;
  const azure = isAzure(upstream);
  return {
    dialect: to,
    request: (asked, model, at) =>
      carried(asked, model, azure ? azurePlace(asked, model, at) : place(asked, at)),
    answer: azure ? plainAnswer : () => ({ rewriter: null, headers: {} }),
  };
}

type Place = Pick<CarriedCall, 'path' | 'query'>;

function carried(asked: AskedCall, model: string, at: Place | null): CarriedCall | null {
  if (at === null || !isSayableElsewhere(asked)) return null;
  const named = memberValue(asked.body, 0, 'model');
  const value = JSON.stringify(model);
  const splice = named ? replaceValue(named, value) : insertMember(asked.body, 0, 'model', value);
  return { ...at, body: applySplices(asked.body, [splice]), headers: { 'accept-encoding': 'identity' } };
}

const tailOf = ({ description }: AskedCall): string | undefined => TAILS[description.endpoint.name];

function place(asked: AskedCall, { url }: Upstream): Place | null {
  const tail = tailOf(asked);
  const base = basePathOf(url);
  if (tail === undefined) return null;
  return { path: `${base}${VERSIONED.test(base) ? '' : '/v1'}/${tail}`, query: '' };
}

/** As it was asked where that was in a dated version, else as the url says: `/openai/deployments` is dated too. */
function azurePlace(asked: AskedCall, model: string, { url }: Upstream): Place | null {
  const tail = tailOf(asked);
  if (tail === undefined || !NAME.test(model)) return null;
  const base = basePathOf(url);
  const root = `${base.replace(/\/openai(?:\/v1|\/deployments(?:\/[^/]+)?)?$/, '')}/openai`;
  const asDated = isDated(asked);
  if (tail === 'responses') {
    return asDated
      ? { path: `${root}/${tail}`, query: asked.head.query }
      : { path: `${root}/v1/${tail}`, query: '' };
  }
  if (!asDated && !/\/openai\/deployments/.test(base)) return { path: `${root}/v1/${tail}`, query: '' };
  return { path: `${root}/deployments/${model}/${tail}`, query: asDated ? asked.head.query : DATED };
}

const isDated = ({ head }: AskedCall): boolean =>
  /[?&]api-version=\d/.test(head.query) && !head.path.includes('/v1/');

function isSayableElsewhere({ description, json }: AskedCall): boolean {
  const { hostedTools, outlivesAnswer, serviceTier } = description;
  if (hostedTools.length > 0 || outlivesAnswer || serviceTier !== null) return false;
  if ((json.previous_response_id ?? json.conversation ?? null) !== null) return false;
  return !refersElsewhere(json.input) && !refersElsewhere(json.messages);
}

const KEPT_AT_HOME = ['file_id', 'encrypted_content'];

/** To what the asked home keeps, or has encrypted for itself. */
function refersElsewhere(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(refersElsewhere);
  return isObject(value) && (isKept(value) || Object.values(value).some(refersElsewhere));
}

const isKept = (item: JsonObject): boolean =>
  item.type === 'item_reference' || KEPT_AT_HOME.some((name) => typeof item[name] === 'string');
