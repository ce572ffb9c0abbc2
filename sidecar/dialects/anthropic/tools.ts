// Which tools a request offers: custom ones and Anthropic's own client tools (bash, text editor, computer, memory) run in
// the agent, server tools at the provider. Their types end in a date; a rule names them without: `hosted anthropic/web_search`.
// Source: platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference and each tool's page, section pricing.

import type { Json, JsonObject } from '../dialect.ts';
import { badField, identifier, isObject, optionalCount, refuseCaseVariants } from '../fields.ts';

export interface Tools {
  readonly offered: readonly string[];
  readonly hosted: readonly string[];
  /** In the same order: the tool's own object, or that of the MCP server it stands for. */
  readonly hostedArgs: readonly JsonObject[];
  readonly tokens: number;
  /** Most rounds at the provider; null when the request sets no limit. */
  readonly usesMax: number | null;
  readonly unmeterable: string | null;
}

/** The system prompt that comes with any tool: 313 to 530 tokens by model. */
const TOOL_USE_TOKENS = 640;
const CUSTOM_TOOL_TOKENS = 32;
/** Anthropic's own definitions, added to the input by name alone: computer use, the largest, 735 and 499. */
const CLIENT_TOOL_TOKENS = 2_048;
/** The provider's own loop over its tools, where a tool has no limit of its own. */
const SERVER_ROUNDS_MAX = 10;

const RUN_BY_AGENT = new Set([
  'bash',
  'text_editor',
  'computer',
  'memory',
  'computer_toolset',
  'browser_toolset',
]);
const LIMITED_BY_MAX_USES = new Set(['web_search', 'web_fetch']);
const UNREPORTED: Readonly<Record<string, string>> = {
  code_execution: 'the container time of code_execution is not reported in the answer',
  advisor: 'the advisor is another model, whose price is not known here',
  fallback: 'a fallback is another model, whose price is not known here',
};
const JUDGED = new Set(['type', 'name', 'max_uses', 'mcp_server_name']);

/** What runs at the provider without being a tool. */
export interface HostedElsewhere {
  readonly type: 'mcp' | 'fallback';
  readonly args: JsonObject;
}

export function describeTools(tools: readonly Json[], elsewhere: readonly HostedElsewhere[]): Tools {
  const offered: string[] = [];
  const hosted: string[] = elsewhere.map(({ type }) => type);
  const hostedArgs: JsonObject[] = elsewhere.map(({ args }) => args);
  let tokens = tools.length > 0 ? TOOL_USE_TOKENS : 0;
  let usesMax: number | null = hosted.includes('mcp') ? SERVER_ROUNDS_MAX : 0;
  for (const tool of tools) {
    if (!isObject(tool)) throw badField('tools', 'a list of objects');
    refuseCaseVariants(tool, JUDGED);
    const type = baseType(tool);
    if (type === 'custom') {
      offered.push(identifier(tool.name, 'tools.name'));
      tokens += CUSTOM_TOOL_TOKENS;
    } else if (RUN_BY_AGENT.has(type)) {
      offered.push(tool.name === undefined ? type : identifier(tool.name, 'tools.name'));
      tokens += CLIENT_TOOL_TOKENS;
    } else if (type === 'mcp' && isOfServer(tool, elsewhere)) {
      // judged as the server that it shows tools of
    } else {
      hosted.push(type);
      hostedArgs.push(tool);
      const uses = usesOf(type, tool);
      usesMax = usesMax === null || uses === null ? null : usesMax + uses;
    }
  }
  const unreported = hosted.find((type) => Object.hasOwn(UNREPORTED, type));
  return {
    offered,
    hosted,
    hostedArgs,
    tokens,
    usesMax,
    unmeterable:
      unreported !== undefined
        ? UNREPORTED[unreported]!
        : usesMax === null
          ? `the provider may run ${hosted.join(', ')} any number of times; set max_uses`
          : null,
  };
}

/** `web_search_20260318` → `web_search`; both kinds of tool search are `tool_search`; a tool set of MCP is `mcp`. */
function baseType(tool: JsonObject): string {
  if (tool.type === undefined || tool.type === null) return 'custom';
  const type = identifier(tool.type, 'tools.type').replace(/_\d{8}$/, '');
  if (type === 'mcp_toolset') return 'mcp';
  return type.startsWith('tool_search_tool') ? 'tool_search' : type;
}

const isOfServer = (toolset: JsonObject, elsewhere: readonly HostedElsewhere[]): boolean =>
  elsewhere.some(({ type, args }) => type === 'mcp' && args.name === toolset.mcp_server_name);

const usesOf = (type: string, tool: JsonObject): number | null =>
  LIMITED_BY_MAX_USES.has(type) ? optionalCount(tool, 'max_uses') : SERVER_ROUNDS_MAX;
