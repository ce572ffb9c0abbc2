// Which tools a request offers, told apart by where they run: in the agent (judged by `tool` rules) or at the provider
// (judged by `hosted` rules). A type we do not know runs at the provider, as far as anyone can tell.
// Source: the Tool union of the Responses API and of chat completions, platform.openai.com/docs/guides/tools.

import type { Json, JsonObject } from '../dialect.ts';
import { badField, identifier, isObject, optionalArray, refuseCaseVariants } from '../fields.ts';

export interface Tools {
  readonly offered: readonly string[];
  readonly hosted: readonly string[];
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
const JUDGED = new Set(['type', 'name', 'function', 'custom', 'tools', 'environment']);

export function describeTools(tools: readonly Json[]): Tools {
  const offered: string[] = [];
  const hosted: string[] = [];
  for (const tool of tools) place(tool, offered, hosted);
  const unreported = hosted.find((type) => UNREPORTED.has(type));
  return {
    offered,
    hosted,
    tokens: (offered.length + hosted.length) * TOOL_TOKENS,
    unmeterable: unreported === undefined ? null : `what ${unreported} costs is not reported in the answer`,
  };
}

function place(tool: Json, offered: string[], hosted: string[]): void {
  if (!isObject(tool)) throw badField('tools', 'a list of objects');
  refuseCaseVariants(tool, JUDGED);
  const type = identifier(tool.type, 'tools.type');
  if (type === 'function' || type === 'custom') offered.push(nameOf(tool, type));
  else if (type === 'namespace')
    for (const inner of optionalArray(tool, 'tools')) place(inner, offered, hosted);
  else if (RUN_BY_AGENT.has(type) || isLocalShell(tool)) offered.push(type);
  else hosted.push(type);
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
