// Which tools a `toolConfig` offers: a `toolSpec` runs in the agent, a `systemTool` (nova_grounding,
// nova_code_interpreter) at the provider; a cache point stands among them and is none.

import type { Json, JsonObject } from '../dialect.ts';
import { badField, identifier, isObject } from '../fields.ts';

export interface Tools {
  readonly offered: readonly string[];
  readonly hosted: readonly string[];
  readonly hostedArgs: readonly JsonObject[];
  readonly tokens: number;
}

export const SYSTEM_TOOLS_SENTENCE =
  'how often the provider runs its own tools has no limit and no known fee';

/** The system prompt that comes with any tool: 313 to 530 tokens by model of Anthropic's, the largest. */
const TOOL_USE_TOKENS = 640;
const TOOL_TOKENS = 32;

export function describeTools(tools: readonly Json[]): Tools {
  const offered: string[] = [];
  const hosted: string[] = [];
  const hostedArgs: JsonObject[] = [];
  for (const tool of tools) {
    if (!isObject(tool)) throw badField('toolConfig.tools', 'a list of objects');
    if (isObject(tool.toolSpec)) offered.push(identifier(tool.toolSpec.name, 'toolSpec.name'));
    if (isObject(tool.systemTool)) {
      hosted.push(identifier(tool.systemTool.name, 'systemTool.name'));
      hostedArgs.push(tool.systemTool);
    }
    if (!isObject(tool.toolSpec) && !isObject(tool.systemTool) && tool.cachePoint === undefined)
      throw badField('toolConfig.tools', 'a list of toolSpec, systemTool and cachePoint');
  }
  return {
    offered,
    hosted,
    hostedArgs,
    tokens: tools.length > 0 ? TOOL_USE_TOKENS + offered.length * TOOL_TOKENS : 0,
  };
}
