// A model's call in typed columns, whatever convention named its facts. An attribute's name is looked up once in a block of
// spans, for names repeat; a column then finds its value by a small number.

import { CONVENTIONS, FACTS, type Fact, MARKS, OPERATIONS, PROVIDERS } from './genai-names.ts';
import { quoted } from './sql-text.ts';

const FACT_NAMES = Object.keys(FACTS) as Fact[];
const numberOf = (fact: Fact): number => FACT_NAMES.indexOf(fact) + 1;

/** Name to fact. */
const FACT_OF = new Map<string, number>(
  FACT_NAMES.flatMap((fact) => FACTS[fact].map((name) => [name, numberOf(fact)] as const)),
);
/** Name to convention; what is marked as none's own is just `gen_ai`. */
const CONVENTION_OF = new Map<string, number>([
  ...[...FACT_OF.keys()]
    .filter((name) => name.startsWith('gen_ai.'))
    .map((name) => [name, CONVENTIONS.indexOf('gen_ai')] as const),
  ...CONVENTIONS.flatMap((convention, at) => (MARKS[convention] ?? []).map((name) => [name, at] as const)),
]);

const list = (values: Iterable<string | number>): string =>
  `[${[...values].map((value) => (typeof value === 'number' ? value : quoted(value))).join(', ')}]`;

const numbered = (names: ReadonlyMap<string, number>): string =>
  `arrayMap(name -> toUInt8(transform(name, ${list(names.keys())}, ${list(names.values())}, 0)), mapKeys(own))`;

const renamed = (text: string, names: Readonly<Record<string, string>>, otherwise: string): string =>
  `transform(${text}, ${list(Object.keys(names))}, ${list(Object.values(names))}, ${otherwise})`;

/** Rows of spans with `own`, a map of attributes; and beside it what `GENAI_COLUMNS` read. */
export const withFacts = (rows: string): string => `
  SELECT *, ${numbered(FACT_OF)} AS facts, ${numbered(CONVENTION_OF)} AS conventions, mapValues(own) AS said
  FROM (${rows})`;

const textOf = (fact: Fact): string => `said[indexOf(facts, ${numberOf(fact)})]`;
const nameOf = (fact: Fact): string => `toLowCardinality(${textOf(fact)})`;
const countOf = (fact: Fact): string => `toUInt64OrNull(${textOf(fact)})`;

/** `openai.responses` is a provider and its API; `google.generative-ai` is one. */
const API = quoted('\\.(chat|responses|messages|completion|embedding|text-embedding|image)$');
const SYSTEM = `replaceRegexpOne(lower(${nameOf('system')}), ${API}, '')`;
const entityOf = (fact: Fact, kind: string): string =>
  `if(${textOf(fact)} = '' AND ${textOf('kind')} = '${kind}', ${textOf('entity')}, ${textOf(fact)})`;
const REASONS = textOf('finishReasons');

/** Columns of otel_traces over `withFacts`. What is read from a cache is part of the input, and never added to it. */
export const GENAI_COLUMNS: Readonly<Record<string, string>> = {
  SemConv: `arrayElement(${list(CONVENTIONS)}, arrayMax(conventions) + 1)`,
  GenAiOperation: `if(${textOf('operation')} = '', ${renamed(nameOf('kind'), OPERATIONS, "''")}, ${textOf('operation')})`,
  GenAiProvider: `if(${textOf('provider')} = '', ${renamed(SYSTEM, PROVIDERS, SYSTEM)}, ${textOf('provider')})`,
  GenAiModel: textOf('requestModel'),
  GenAiResponseModel: textOf('responseModel'),
  GenAiConversation: textOf('conversation'),
  GenAiAgent: entityOf('agent', 'agent'),
  GenAiAgentId: textOf('agentId'),
  GenAiWorkflow: textOf('workflow'),
  GenAiTool: entityOf('tool', 'tool'),
  InputTokens: countOf('inputTokens'),
  OutputTokens: countOf('outputTokens'),
  CachedTokens: countOf('cachedTokens'),
  CacheWriteTokens: countOf('cacheWriteTokens'),
  ReasoningTokens: countOf('reasoningTokens'),
  FinishReasons: `arrayMap(reason -> replaceAll(reason, '-', '_'), multiIf(${REASONS} = '', [],
    startsWith(${REASONS}, '['), JSONExtract(${REASONS}, 'Array(String)'), [${REASONS}]))`,
  McpMethod: textOf('mcpMethod'),
  McpSession: textOf('mcpSession'),
};
