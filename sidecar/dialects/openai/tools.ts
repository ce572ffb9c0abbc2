// Which tools a request offers, told apart by where they run: in the agent (judged by `tool` rules) or at the provider
// (judged by `hosted` rules). A type we do not know runs at the provider, as far as anyone can tell.
// A rule names a type without the date of its version. Source: the Tool union of the Responses API and of chat
// completions, platform.openai.com/docs/guides/tools.

import type { Json, JsonObject } from '../dialect.ts';
import { requireCanonicalUrl } from '../fetched-url.ts';
import { badField, identifier, isObject, optionalArray, refuseCaseVariants } from '../fields.ts';

export interface Tools {
  readonly offered: readonly string[];
  readonly hosted: readonly string[];
  /** The tools' own objects, in the same order. */
  readonly hostedArgs: readonly JsonObject[];
  /** What the definitions may add to the input beyond their bytes. */
  readonly tokens: number;
  readonly unmeterable: string | null;
}

/** Names, separators and the wrapping around one definition; OpenAI documents none, its cookbook measures 8 to 12. */
const TOOL_TOKENS = 32;

/** They name an action that the client carries out and answers. */
const RUN_BY_AGENT = new Set(['computer', 'computer_use_preview', 'local_shell', 'apply_patch']);
/** Billed by container or by image, which no answer reports. */
const UNREPORTED = new Set(['code_interpreter', 'image_generation', 'shell']);
const JUDGED = new Set(
  'type name function custom tools environment execution server_url connector_id tunnel_id'.split(' '),
);
/** `web_search_2025_08_26`; but `web_search_preview` is another tool than `web_search`, with other fees. */
const VERSION = /_20\d{2}_\d{2}_\d{2}$/;

export function describeTools(tools: readonly Json[]): Tools {
  const offered: string[] = [];
  const hosted: string[] = [];
  const hostedArgs: JsonObject[] = [];
  for (const tool of tools) place(tool, offered, hosted, hostedArgs);
  const unreported = hosted.find((type) => UNREPORTED.has(type));
  return {
    offered,
    hosted,
    hostedArgs,
    tokens: (offered.length + hosted.length) * TOOL_TOKENS,
    unmeterable: unreported === undefined ? null : `what ${unreported} costs is not reported in the answer`,
  };
}

function place(tool: Json, offered: string[], hosted: string[], hostedArgs: JsonObject[]): void {
  if (!isObject(tool)) throw badField('tools', 'a list of objects');
  refuseCaseVariants(tool, JUDGED);
  const type = identifier(tool.type, 'tools.type').replace(VERSION, '');
  if (type === 'function' || type === 'custom') offered.push(nameOf(tool, type));
  else if (type === 'namespace')
    for (const inner of optionalArray(tool, 'tools')) place(inner, offered, hosted, hostedArgs);
  else if (RUN_BY_AGENT.has(type) || isLocalShell(tool) || isClientSearch(tool)) offered.push(type);
  else {
    if ((tool.server_url ?? null) !== null) requireCanonicalUrl(tool.server_url, 'tools.server_url');
    hosted.push(type);
    hostedArgs.push(tool);
  }
}

/** Chat nests the name under the type's own key; Responses has it at the top. */
function nameOf(tool: JsonObject, type: string): string {
  const nested = tool[type];
  if (nested === undefined) return identifier(tool.name, 'tools.name');
  if (!isObject(nested)) throw badField(`tools.${type}`, 'an object');
  refuseCaseVariants(nested, JUDGED);
  return identifier(nested.name, `tools.${type}.name`);
}

const isLocalShell = (tool: JsonObject): boolean =>
  tool.type === 'shell' && isObject(tool.environment) && tool.environment.type === 'local';

/** The agent looks its own tools up and adds them to the conversation. */
const isClientSearch = (tool: JsonObject): boolean =>
  tool.type === 'tool_search' && tool.execution === 'client';
