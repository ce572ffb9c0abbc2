// A month of a fleet of 200 agents, as SQL: what INSERT … SELECT from numbers() puts into otel_traces and otel_logs, so that
// every view and rollup fills as it would from segments. Ten spans a trace, ten traces a task:
//
//   0 the agent's round · 1 4 7 its chats · 2 5 8 the sidecar's records of them · 3 6 records of tools over MCP · 9 a tool of its own
//
// Three traces in ten were begun by another agent. Each chat names its history by content.

export const AGENTS = 200;
export const MODELS = 20;
export const DAYS = 30;
const TOOLS = 60;
const CALLERS = 40;
const SPANS_PER_TRACE = 10;
const TRACES_PER_TASK = 10;
const BODIES_PER_TRACE = 6;
export const BODY_DAYS = 14;

export interface Stretch {
  /** Of all numbers, `total`, those from `first` on. */
  readonly first: number;
  readonly count: number;
  readonly total: number;
  /** When the last of all numbers happened, seconds since 1970. */
  readonly until: number;
}

const name = (kind: string, number: string) => `concat('${kind}-', toString(${number}))`;
const hash = (kind: string, of: string) => `lower(hex(MD5(concat('${kind}', toString(${of})))))`;
const body = (trace: string, at: string) =>
  `concat('{"role":"', if(${at} % 2 = 0, 'assistant', 'user'), '","parts":[{"type":"text","content":"', repeat(concat(${hash('said', `${trace} * 8 + ${at}`)}, ' '), 7), '"}]}')`;
const named = (trace: string, at: string) =>
  `concat('"sha256:', lower(hex(SHA256(${body(trace, at)}))), '"')`;
const numbersOf = ({ first, count }: Pick<Stretch, 'first' | 'count'>) => `numbers(${first}, ${count})`;
const momentOf = ({ total, until }: Stretch, number: string) =>
  `fromUnixTimestamp64Nano(toInt64(${until}) * 1000000000 - intDiv(toInt64(${total} - 1 - ${number}) * ${DAYS * 86_400} * 1000000, ${total}) * 1000, 'UTC')`;

/** Facts of a span's number, each seen by those below it. */
const FACTS = (stretch: Stretch): string => `
  intDiv(number, ${SPANS_PER_TRACE}) AS trace, number % ${SPANS_PER_TRACE} AS place, cityHash64(trace) AS luck,
  trace % ${AGENTS} AS agent_number, ${name('agent', 'agent_number')} AS agent,
  concat('task-', toString(agent_number), '-', toString(intDiv(trace, ${AGENTS * TRACES_PER_TASK}))) AS task,
  agent_number >= ${CALLERS} AND luck % 10 < 3 AS is_called, luck % ${CALLERS} AS caller_number,
  ${hash('trace', 'trace')} AS trace_id,
  place IN (2, 3, 5, 6, 8) AS is_record, place IN (3, 6, 9) AS is_tool, place IN (1, 2, 4, 5, 7, 8) AS is_chat,
  cityHash64(number) % 1000 AS chance,
  multiIf(chance < 20, 'failure', chance < 25, 'timeout', chance < 40, 'refused', chance < 42, 'escalated', 'success') AS ending,
  -- an agent has two models of its own
  (agent_number * 7 + luck % 2) % ${MODELS} AS model_number,
  ['openai', 'anthropic', 'gemini', 'bedrock'][model_number % 4 + 1] AS provider,
  concat(['gpt', 'claude', 'gemini', 'nova'][model_number % 4 + 1], '-', toString(intDiv(model_number, 4) + 1)) AS model,
  concat('read_', toString((agent_number * 11 + cityHash64(number) % 6) % ${TOOLS})) AS tool,
  500 + cityHash64(number) % 20000 AS tokens_in, 50 + cityHash64(number) % 900 AS tokens_out,
  50000000 + cityHash64(number) % 4000000000 AS duration,
  -- records of an agent come in the order of their numbers: five a trace
  intDiv(trace, ${AGENTS}) * 5 + indexOf([2, 3, 5, 6, 8], place) - 1 AS seq,
  ${momentOf(stretch, 'number')} AS moment`;

const HISTORY = `concat('[', arrayStringConcat(arrayMap(at -> ${named('trace', 'at')}, range(1, toUInt64(intDiv(place, 3) * 2 + 3))), ','), ']')`;

const GENAI = `
    'gen_ai.operation.name', if(is_chat, 'chat', if(is_tool, 'execute_tool', 'invoke_agent')),
    'gen_ai.provider.name', if(is_chat, provider, ''), 'gen_ai.request.model', if(is_chat, model, ''),
    'gen_ai.response.model', if(is_chat, model, ''), 'gen_ai.agent.name', agent, 'gen_ai.tool.name', if(is_tool, tool, ''),
    'gen_ai.usage.input_tokens', if(is_chat, toString(tokens_in), ''), 'gen_ai.usage.output_tokens', if(is_chat, toString(tokens_out), ''),
    'gen_ai.input.messages', if(is_chat AND NOT is_record, ${HISTORY}, '')`;

const RECORD = `
    'outrider.call.id', ${hash('call', 'number')}, 'outrider.fleet', 'bench', 'outrider.department', ${name('department', 'agent_number % 8')},
    'outrider.agent', agent, 'outrider.agent.instance', 'host-1', 'outrider.agent.version', '1.4.0', 'outrider.owner', ${name('owner', 'agent_number % 12')},
    'outrider.task', task, 'outrider.caller.agent', if(is_called, ${name('agent', 'caller_number')}, ''),
    'outrider.grantor', if(is_called, 'ana@example.com', ''), 'outrider.depth', if(is_called, '1', '0'),
    'outrider.parent_trace_id', if(is_called, ${hash('trace', 'trace - agent_number + caller_number')}, ''),
    'outrider.action', if(is_tool, 'tool_use', 'llm_inference'), 'outrider.target', if(is_tool, concat('files/', tool), concat(provider, '/', model)),
    'outrider.upstream', if(is_tool, 'files', provider), 'outrider.model', if(is_tool, '', model), 'outrider.mode', 'enforce',
    'outrider.verdict', multiIf(ending = 'refused', 'deny', ending = 'escalated', 'ask', 'allow'),
    'outrider.rule', if(is_tool, 'mcp files/read_*', concat('llm ', provider, '/', model)),
    'outrider.refusal', multiIf(ending = 'refused', ['out_of_scope', 'over_budget', 'rate_limited'][chance % 3 + 1], ending = 'escalated', 'approval_needed', ''),
    'outrider.policy.digest', substring(${hash('policy', 'agent_number % 5')}, 1, 12), 'outrider.credential', if(is_tool, 'files', provider),
    'outrider.status', ending, 'outrider.http_status', if(ending = 'success', '200', '503'), 'outrider.usage.source', if(is_tool, 'none', 'reported'),
    'outrider.cost.nanodollars', if(is_tool, '0', toString(tokens_in * 250 + tokens_out * 2000)),
    'outrider.audit.stream', concat(agent, '/host-1'), 'outrider.audit.seq', toString(seq), 'outrider.audit.hash', ${hash('link', 'number')},
    'outrider.audit.entry', concat('{"agent":"', agent, '","requestDigest":"', ${hash('request', 'intDiv(number, 3)')}, '","seq":', toString(seq), ',"rest":"', repeat(${hash('entry', 'number')}, 12), '"}')`;

/** Spans `first` to `first + count` of `total`. */
export const spansSql = (stretch: Stretch): string => `
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
  ScopeVersion, SpanAttributes, Duration, StatusCode, \`Events.Timestamp\`, \`Events.Name\`, \`Events.Attributes\`,
  ReceivedAt, Sender, SegmentId, SemConv, GenAiOperation, GenAiProvider, GenAiModel, GenAiResponseModel, GenAiAgent, GenAiTool, InputTokens, OutputTokens)
WITH ${FACTS(stretch)},
  is_record AND is_chat AND place != 8 AS asks_for_tool
SELECT
  moment, trace_id, substring(${hash('span', 'number')}, 1, 16) AS SpanId,
  multiIf(place = 0, '', is_record AND is_chat, substring(${hash('span', 'number - 1')}, 1, 16), substring(${hash('span', 'trace * 10')}, 1, 16)),
  multiIf(is_chat, concat('chat ', model), is_tool, concat('execute_tool ', tool), concat('invoke_agent ', agent)), if(is_record, 'Client', 'Internal'),
  agent, map('service.name', agent, 'service.version', '1.4.0', 'host.name', 'host-1', 'telemetry.sdk.language', 'python'),
  if(is_record, 'outrider.sidecar', 'opentelemetry.instrumentation.openai'), '1.0.0',
  mapFilter((key, value) -> value != '', if(is_record, map(${GENAI}, ${RECORD}), map(${GENAI}))) AS attributes,
  duration, if(ending = 'success', 'Ok', 'Error'),
  if(asks_for_tool, [moment], []), if(asks_for_tool, ['outrider.tool_request'], []),
  if(asks_for_tool, [map('gen_ai.tool.name', tool, 'gen_ai.tool.call.id', substring(${hash('tool', 'number')}, 1, 24), 'outrider.tool.arguments.sha256', ${hash('arguments', 'number % 1000')})], []),
  moment, if(is_record, concat(agent, '/host-1'), ''), 'bench-${stretch.first}', 'gen_ai 1.41',
  if(is_chat, 'chat', if(is_tool, 'execute_tool', 'invoke_agent')), if(is_chat, provider, ''), if(is_chat, model, ''), if(is_chat, model, ''),
  agent, if(is_tool, tool, ''), if(is_chat, tokens_in, NULL), if(is_chat, tokens_out, NULL)
FROM ${numbersOf(stretch)}
SETTINGS max_block_size = 8192, min_insert_block_size_rows = 25000, max_insert_threads = 1, max_threads = 1`;

export const bodiesOf = (spans: number): number => (spans / SPANS_PER_TRACE) * BODIES_PER_TRACE;

/** Messages of the chats: the same numbers of bodies as of spans name them. */
export const bodiesSql = (stretch: Stretch): string => `
INSERT INTO message_bodies (hash, body, day)
WITH intDiv(number, ${BODIES_PER_TRACE}) AS trace, number % ${BODIES_PER_TRACE} + 1 AS at
SELECT lower(hex(SHA256(${body('trace', 'at')}))), ${body('trace', 'at')}, toDate(${momentOf(stretch, 'number')})
FROM ${numbersOf(stretch)}`;

const control = (event: string, attributes: string, scope = 'outrider.control') => `
INSERT INTO otel_logs (Timestamp, ServiceName, ScopeName, Sender, ReceivedAt, SegmentId, LogAttributes)
SELECT moment, 'collector', '${scope}', 'collector', moment, 'bench-${event}', ${attributes}`;

export const tasksOf = (spans: number): number => spans / SPANS_PER_TRACE / TRACES_PER_TASK;

/** Nine tasks in ten end. */
export const taskEndsSql = (stretch: Stretch): string => `${control(
  'ends',
  `map('outrider.control.id', toString(number), 'outrider.control.event', 'task_ended', 'outrider.control.actor', agent,
    'outrider.control.agent', agent, 'outrider.control.details', concat('{"task":"task-', toString(agent_number), '-', toString(intDiv(number, ${AGENTS})), '","state":"', if(number % 30 = 0, 'failed', 'done'), '","output_units":1}'))`,
)}
FROM (SELECT number, number % ${AGENTS} AS agent_number, ${name('agent', 'agent_number')} AS agent,
  least(${momentOf(stretch, `(number + ${AGENTS})`)}, fromUnixTimestamp64Nano(toInt64(${stretch.until}) * 1000000000, 'UTC')) AS moment FROM ${numbersOf(stretch)} WHERE number % 10 != 0)`;

/** A day's policies of five kinds, by instance. */
export const policiesSql = (stretch: Stretch): string => `${control(
  'policies',
  `map('outrider.control.id', toString(number), 'outrider.control.event', 'policy_in_force', 'outrider.control.actor', 'ops@host',
    'outrider.control.agent', ${name('agent', `number % ${AGENTS}`)}, 'outrider.control.details', concat('{"digest":"', substring(${hash('policy', `number % ${AGENTS} % 5`)}, 1, 12), '","instance":"host-1","fleet":"bench","loaded_at":', toString(toUnixTimestamp64Milli(moment)), if(number < 5, ',"sources":[{"file":"outrider.yaml","text":"fleet: bench"}]', ''), '}'))`,
)}
FROM (SELECT number, ${momentOf(stretch, 'number')} AS moment FROM ${numbersOf(stretch)})`;

/** One entry of the ledger in twenty spans. */
export const entriesSql = (stretch: Stretch): string => `${control(
  'entries',
  `map('outrider.entry.at', toString(toUnixTimestamp64Milli(moment)), 'outrider.entry.id', toString(number), 'outrider.entry.kind', ['grant', 'post', 'return', 'write_off'][if(number % 100 = 0, 4, number % 3 + 1)],
    'outrider.entry.lease', ${name('lease', 'intDiv(number, 3)')}, 'outrider.entry.agent', ${name('agent', `number % ${AGENTS}`)}, 'outrider.entry.instance', 'host-1',
    'outrider.entry.unit', 'nanodollars', 'outrider.entry.granted', toString(number % 1000 * 1000), 'outrider.entry.posted', toString(number % 700 * 1000),
    'outrider.entry.accounts', '[{"level":"fleet","name":"bench","window":"month"},{"level":"agent","name":"a","window":"month"}]')`,
  'outrider.ledger',
)}
FROM (SELECT number, ${momentOf(stretch, 'number')} AS moment FROM ${numbersOf(stretch)})`;
