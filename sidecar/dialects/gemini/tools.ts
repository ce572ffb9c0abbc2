// Which tools a request offers: function declarations and computer use run in the agent, every other member of a tool at
// Google. A member nobody knows is taken for one of those. Rules name them in snake_case: `hosted gemini/url_context`.
// Source: the Tool message, ai.google.dev/api/caching#Tool and Vertex AI's reference of the same name.

import type { Json, JsonObject } from '../dialect.ts';
import { badField, identifier, isObject } from '../fields.ts';
import { listOf } from './input.ts';
import { fields, judged, snakeCase, unknownKeys } from './spelling.ts';

export interface Tools {
  readonly offered: readonly string[];
  readonly hosted: readonly string[];
  /** At the same index the tool's own object. */
  readonly hostedArgs: readonly JsonObject[];
  readonly tokens: number;
  /** Most rounds at the provider. */
  readonly usesMax: number;
  readonly unmeterable: string | null;
}

const DECLARATION_TOKENS = 32;
/** The functions that computer use brings along. */
const COMPUTER_TOKENS = 4_096;
/** ai.google.dev/gemini-api/docs/code-execution: a failing program is written anew up to five times. */
const CODE_ROUNDS_MAX = 6;
/** No page states how often the others are asked; ten rounds is what comparable loops elsewhere end at. */
const ROUNDS_MAX = 10;

const HOSTED = `googleSearch googleSearchRetrieval urlContext codeExecution fileSearch googleMaps retrieval
  enterpriseWebSearch exaAiSearch parallelAiSearch mcpServers`;
const TOOL = fields(`functionDeclarations computerUse ${HOSTED}`);
const DECLARATION = fields('name');

/** Whose only cost is the tokens they bring, which the answer reports. All others have a fee that no answer states. */
const TOKENS_ALONE = new Set(['url_context', 'code_execution', 'file_search', 'mcp']);
const NAMES: Readonly<Record<string, string>> = { mcp_servers: 'mcp' };

interface Found {
  readonly offered: string[];
  readonly hosted: string[];
  readonly hostedArgs: JsonObject[];
  tokens: number;
}

export function describeTools(tools: readonly Json[]): Tools {
  const found: Found = { offered: [], hosted: [], hostedArgs: [], tokens: 0 };
  for (const tool of tools) {
    if (!isObject(tool)) throw badField('tools', 'a list of objects');
    place(tool, found);
  }
  const feed = found.hosted.filter((type) => !TOKENS_ALONE.has(type));
  return {
    ...found,
    usesMax: roundsOf(found.hosted),
    unmeterable: feed.length > 0 ? feeSentence(feed) : null,
  };
}

function place(tool: JsonObject, found: Found): void {
  const { functionDeclarations, computerUse, ...hosted } = judged(tool, TOOL);
  for (const declaration of listOf(functionDeclarations)) declare(declaration, found);
  if (computerUse != null) {
    found.offered.push('computer_use');
    found.tokens += COMPUTER_TOKENS;
  }
  for (const [name, args] of Object.entries(hosted)) host(name, args, found);
  for (const key of unknownKeys(tool, TOOL)) host(identifier(key, 'tools'), tool[key]!, found);
}

function declare(declaration: Json, found: Found): void {
  if (!isObject(declaration)) throw badField('functionDeclarations', 'a list of objects');
  found.offered.push(identifier(judged(declaration, DECLARATION).name, 'functionDeclarations.name'));
  found.tokens += DECLARATION_TOKENS;
}

function host(name: string, args: Json, found: Found): void {
  if (args === null) return;
  const snake = snakeCase(name);
  found.hosted.push(NAMES[snake] ?? snake);
  found.hostedArgs.push(isObject(args) ? args : { [name]: args });
}

function roundsOf(hosted: readonly string[]): number {
  if (hosted.length === 0) return 0;
  return hosted.every((type) => type === 'code_execution') ? CODE_ROUNDS_MAX : ROUNDS_MAX;
}

const feeSentence = (types: readonly string[]): string =>
  `${types.join(', ')} has a fee for each query or prompt, which neither the price library nor the request bounds`;
