// Recorded calls for tests, in short.

import type { RecordedCalls } from '../../../contract/recorded-calls.ts';

const SEEN: RecordedCalls = {
  agent: 'scout',
  upstream: 'search',
  action: 'api_call',
  target: '',
  model: '',
  calls: 1,
  succeeded: 1,
  firstSeen: '2026-01-05T08:00:00.000Z',
  lastSeen: '2026-01-05T09:00:00.000Z',
  wouldVerdict: 'deny',
  rule: '',
  status: 'success',
};

export const http = (target: string, more: Partial<RecordedCalls> = {}): RecordedCalls => ({
  ...SEEN,
  target,
  ...more,
});

export const llm = (target: string, more: Partial<RecordedCalls> = {}): RecordedCalls => {
  const [upstream = '', model = ''] = target.split('/');
  return { ...SEEN, action: 'llm_inference', upstream, model, target, ...more };
};

/** A tool server's: `files/read_file`, or `files (tools/list)` for a side method. */
export const mcp = (target: string): RecordedCalls => {
  const [upstream = ''] = target.split(/[ /]/);
  return { ...SEEN, action: 'tool_use', upstream, target };
};

/** Another agent's: `writer/summarise`, or `writer (tasks/get)`; or the url it was to call back to. */
export const a2a = (target: string, upstream = target.split(/[ /]/)[0]!): RecordedCalls => ({
  ...SEEN,
  action: 'handoff',
  upstream,
  target,
});

export const tool = (name: string, more: Partial<RecordedCalls> = {}): RecordedCalls => ({
  ...SEEN,
  action: 'tool_request',
  target: name,
  wouldVerdict: 'allow',
  ...more,
});
