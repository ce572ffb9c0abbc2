// What auditors ask of the views that are more than sums: who worked for whom, what an agent used, how a task ended.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import { readQuestions } from '../../sql/questions.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from './open.ts';
import { type Attributes, requestBytes, type Span } from './otlp.ts';

const SIDECAR = { name: SCOPE_NAME, version: '0.1.0' };
const SECOND = 1_000_000_000n;
const START = RECEIVED_AT - 600n * SECOND;
const at = (second: number): string => new Date(Number(START / 1_000_000n) + second * 1000).toISOString();

let opened: OpenedStore;
let spans = 0;
const trace = (of: number): Buffer => Buffer.alloc(16, of);
const hex = (of: number): string => trace(of).toString('hex');

/** One call that begins at a second of the story, in a trace of its own number. */
function call(second: number, inTrace: number, agent: string, attributes: Attributes): Span {
  spans += 1;
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(spans, 4);
  const startUnixNano = START + BigInt(second) * SECOND;
  return {
    traceId: trace(inTrace),
    spanId,
    name: 'call',
    startUnixNano,
    endUnixNano: startUnixNano + 100_000_000n,
    attributes: {
      [A.callId]: `call-${spans}`,
      [A.agent]: agent,
      [A.status]: 'success',
      [A.cost]: 1_000_000,
      ...attributes,
    },
  };
}

const model = {
  [A.action]: 'llm_inference',
  [A.upstream]: 'openai',
  [A.model]: 'gpt-5',
  [A.target]: 'openai/gpt-5',
};
const from = (caller: string, depth: number, origin: number): Attributes => ({
  [A.callerAgent]: caller,
  [A.depth]: depth,
  [A.parentTraceId]: hex(origin),
  [A.grantor]: 'ana',
});

/** planner -> editor -> writer, each in a trace of its own; and a piece of work of somebody else's beside it. */
const STORY = (): Span[] => [
  call(0, 1, 'planner', { ...model, [A.task]: 'brief', [A.grantor]: 'ana' }),
  call(1, 2, 'editor', { ...model, [A.task]: 'edit', ...from('planner', 1, 1) }),
  call(2, 2, 'editor', { ...model, [A.task]: 'edit-2', ...from('planner', 1, 1) }),
  call(3, 3, 'writer', { ...model, [A.task]: 'write', ...from('editor', 2, 1) }),
  call(4, 3, 'writer', {
    [A.action]: 'tool_use',
    [A.upstream]: 'files',
    [A.target]: 'files/write_file',
    [A.task]: 'write',
    [A.credential]: 'disk',
    ...from('editor', 2, 1),
  }),
  call(5, 3, 'writer', {
    [A.action]: 'tool_use',
    [A.upstream]: 'files',
    [A.target]: 'files/delete_file',
    [A.status]: 'refused',
    ...from('editor', 2, 1),
  }),
  call(6, 4, 'writer', { ...model, [A.task]: 'alone', [A.grantor]: 'ben' }),
];

async function endTask(
  id: number,
  task: string,
  state: string,
  units: number,
  second: number,
): Promise<void> {
  await opened.store.command(`INSERT INTO control_event_records (timestamp, id, event, actor, agent_id, reason, details)
    VALUES ('${at(second).replace('T', ' ').replace('Z', '')}', ${id}, 'task_ended', 'agent', 'writer', '',
    '${JSON.stringify({ task, state, output_units: units })}')`);
}

beforeAll(async () => {
  opened = await openTestStore();
  const segment = opened.segment('story', [requestBytes({ scope: SIDECAR, spans: STORY() })], 'any/host');
  await opened.store.load(segment);
  await opened.store.load(segment);
});
afterAll(() => opened.close());

test('the way to an act leads over every agent between, though each worked in a trace of its own', async () => {
  const rows = await opened.store.query(
    `SELECT agent_id, caller_agent, depth, way, grantor, tasks, calls FROM lineage
     WHERE work_id = '${hex(1)}' ORDER BY depth`,
  );
  expect(rows).toEqual([
    {
      agent_id: 'planner',
      caller_agent: '',
      depth: 0,
      way: ['planner'],
      grantor: 'ana',
      tasks: ['brief'],
      calls: '1',
    },
    {
      agent_id: 'editor',
      caller_agent: 'planner',
      depth: 1,
      way: ['planner', 'editor'],
      grantor: 'ana',
      tasks: ['edit', 'edit-2'],
      calls: '2',
    },
    {
      agent_id: 'writer',
      caller_agent: 'editor',
      depth: 2,
      way: ['planner', 'editor', 'writer'],
      grantor: 'ana',
      tasks: ['write'],
      calls: '3',
    },
  ]);
});

test('the question of the way to an act names every act on it, and none beside it or after it', async () => {
  const question = readQuestions().find(({ name }) => name === '02-from-the-grantor-to-the-act')!;
  const { sql } = question;
  const rows = await opened.store.query<{ agent_id: string; target: string }>(
    sql.replaceAll('{call:String}', "'call-4'"),
  );
  expect(rows.map(({ agent_id, target }) => `${agent_id} ${target}`)).toEqual([
    'planner openai/gpt-5',
    'editor openai/gpt-5',
    'editor openai/gpt-5',
    'writer openai/gpt-5',
  ]);
});

test('another piece of work of the same agent has a way of its own', async () => {
  const rows = await opened.store.query(
    "SELECT work_id, way, grantor FROM lineage WHERE agent_id = 'writer' AND depth = 0",
  );
  expect(rows).toEqual([{ work_id: hex(4), way: ['writer'], grantor: 'ben' }]);
});

test('what an agent used is what it was let do', async () => {
  const rows = await opened.store.query<{ kind: string; name: string }>(
    "SELECT kind, name, toUInt32(calls) AS calls, first_seen = last_seen AS once FROM agent_bom WHERE agent_id = 'writer' ORDER BY kind, name",
  );
  expect(rows).toEqual([
    { kind: 'credential', name: 'disk', calls: 1, once: 1 },
    { kind: 'model', name: 'openai/gpt-5', calls: 2, once: 0 },
    { kind: 'tool', name: 'files/write_file', calls: 1, once: 1 },
    { kind: 'upstream', name: 'files', calls: 1, once: 1 },
    { kind: 'upstream', name: 'openai', calls: 2, once: 0 },
  ]);
});

test('tools: run, refused, how long', async () => {
  const rows = await opened.store.query(
    'SELECT agent_id, tool, toUInt32(calls) AS calls, toUInt32(refusals) AS refusals, round(p95_ms) AS p95 FROM tools ORDER BY tool',
  );
  expect(rows).toEqual([
    { agent_id: 'writer', tool: 'files/delete_file', calls: 1, refusals: 1, p95: null },
    { agent_id: 'writer', tool: 'files/write_file', calls: 1, refusals: 0, p95: 100 },
  ]);
});

test('the last end of a task counts, and a call after it begins the task again', async () => {
  const stateOf = (task: string) =>
    opened.store.query(
      `SELECT state, ended_at IS NULL AS unended, output_units FROM tasks WHERE agent_id = 'writer' AND task_id = '${task}'`,
    );
  await endTask(1, 'write', 'failed', 1, 10);
  await endTask(2, 'write', 'done', 3, 20);
  expect(await stateOf('write')).toEqual([{ state: 'done', unended: 0, output_units: '3' }]);
  await endTask(3, 'alone', 'done', 1, 5);
  expect(await stateOf('alone')).toEqual([{ state: 'open', unended: 1, output_units: '1' }]);
});
