// What a request to the Messages API says, and the most it could cost. Fields and types as in its reference
// (platform.claude.com/docs/en/api/messages); header and body fields are open lists, so unknown ones pass.

import type { Description, Endpoint, JsonObject, RequestHead } from '../dialect.ts';
import { requireCanonicalUrl } from '../fetched-url.ts';
import {
  badField,
  identifier,
  isObject,
  optionalArray,
  optionalBoolean,
  optionalCount,
  optionalString,
  refuseCaseVariants,
  requiredArray,
} from '../fields.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { hasOnly } from '../syntax.ts';
import { describeBatch } from './batch.ts';
import { measureInput } from './input.ts';
import { MESSAGES } from './recognise.ts';
import { describeTools, type HostedElsewhere, type Tools } from './tools.ts';

const JUDGED = new Set(
  `model max_tokens stream system messages tools mcp_servers service_tier speed inference_geo container fallbacks
   compaction context_management`.split(/\s+/),
);
/** Members that bring no prompt of their own; tools are counted apart. */
const PLAIN = new Set(
  `model max_tokens stream system messages tools tool_choice temperature top_p top_k stop_sequences metadata
   service_tier`.split(/\s+/),
);
const JUDGED_OF_SERVER = new Set(['type', 'name', 'url']);

export function describe(
  endpoint: Endpoint,
  _head: RequestHead,
  body: JsonObject,
  { length: bodyBytes }: Buffer,
): Description {
  if (endpoint.billed === 'free') return { ...nothingAsked(endpoint), rewritten: endpoint.name === 'models' };
  if (endpoint.name === 'batch')
    return describeBatch(endpoint, body, (params, bytes) => describeMessage(MESSAGES, params, bytes));
  return describeMessage(endpoint, body, bodyBytes);
}

function describeMessage(endpoint: Endpoint, body: JsonObject, bodyBytes: number): Description {
  refuseCaseVariants(body, JUDGED);
  const outputTokensMax = optionalCount(body, 'max_tokens');
  if (outputTokensMax === null) throw badField('max_tokens', 'given: the Messages API requires it');
  const blocks = [...asBlocks(body), ...requiredArray(body, 'messages')];
  const input = measureInput(blocks, bodyBytes, hasOnly(body, PLAIN));
  const tools = describeTools([...optionalArray(body, 'tools'), ...input.toolsAdded], hostedElsewhere(body));
  const byReference = input.byReference || tools.hosted.length > 0 || (body.container ?? null) !== null;
  return {
    ...nothingAsked(endpoint),
    model: identifier(body.model, 'model'),
    stream: optionalBoolean(body, 'stream'),
    inputTokensMax: byReference ? 'context_window' : input.tokens + tools.tokens,
    outputTokensMax,
    toolsOffered: tools.offered,
    hostedTools: tools.hosted,
    hostedArgs: tools.hostedArgs,
    hostedUsesMax: tools.usesMax ?? 0,
    serviceTier: serviceTier(body),
    unmeterable: unmeterable(body, tools),
  };
}

/** `system` may be text, which the body's length bounds, or blocks like a message's. */
const asBlocks = (body: JsonObject) => (typeof body.system === 'string' ? [] : optionalArray(body, 'system'));

/** Remote MCP servers, and other models a refusal may fall back to. */
function hostedElsewhere(body: JsonObject): HostedElsewhere[] {
  const hosted: HostedElsewhere[] = optionalArray(body, 'mcp_servers').map((server) => {
    if (!isObject(server)) throw badField('mcp_servers', 'a list of objects');
    refuseCaseVariants(server, JUDGED_OF_SERVER);
    requireCanonicalUrl(server.url, 'mcp_servers.url');
    return { type: 'mcp', args: server };
  });
  if ((body.fallbacks ?? null) !== null) hosted.push({ type: 'fallback', args: body });
  return hosted;
}

/** Fast mode and inference bound to a region have rates of their own, like a tier. */
function serviceTier(body: JsonObject): string | null {
  const speed = optionalString(body, 'speed');
  const region = optionalString(body, 'inference_geo');
  const tier = optionalString(body, 'service_tier');
  if (speed !== null && speed !== 'standard') return speed;
  if (region !== null && region !== 'global') return `inference_geo ${region}`;
  return tier === 'auto' || tier === 'standard_only' ? null : tier;
}

function unmeterable(body: JsonObject, tools: Tools): string | null {
  if ((body.compaction ?? null) !== null || /compact/.test(JSON.stringify(body.context_management ?? null))) {
    return 'a compaction at the provider reads and writes tokens that the request does not bound';
  }
  return tools.unmeterable;
}
