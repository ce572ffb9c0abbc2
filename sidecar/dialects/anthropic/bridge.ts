// How a message is carried to where the same models stand behind another wire form: AWS Bedrock and Vertex AI. What only
// Anthropic's own API knows (its files, containers, hosted tools, tiers) is not translated: such a call is not carried.

import type { Upstream } from '../../../contract/config/config.ts';
import type { AskedCall, Bridge } from '../bridge.ts';
import type { Dialect, Json } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { bedrockBridge } from './bridge-bedrock.ts';
import { vertexBridge } from './bridge-vertex.ts';

export function bridge(to: Dialect, upstream: Upstream): Bridge | null {
  const found = to.name === 'bedrock' ? bedrockBridge(to) : vertexBridge(to, upstream);
  if (!found) return null;
  return {
    ...found,
    request: (asked, model, at) => (isSayableElsewhere(asked) ? found.request(asked, model, at) : null),
  };
}

function isSayableElsewhere({ description, json }: AskedCall): boolean {
  const { endpoint, hostedTools, serviceTier } = description;
  return (
    endpoint.name === 'messages' && hostedTools.length === 0 && serviceTier === null && !refersElsewhere(json)
  );
}

/** To a file or container that Anthropic keeps, or to a url that it would fetch. */
function refersElsewhere(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(refersElsewhere);
  if (!isObject(value)) return false;
  if ((value.container ?? null) !== null || value.type === 'container_upload') return true;
  const { source } = value;
  if (isObject(source) && (source.type === 'url' || source.type === 'file')) return true;
  return [value.system, value.messages, value.content, source].some(refersElsewhere);
}
