// Messages to another agent: each costs what `prices:` says per call, whatever the agent spends on it; what did not end
// costs its hold. At $0.01 a call: 10,000,000 nanodollars.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, NotThere, Scenario } from './scenario.ts';

const requestOf = (method: string): Scenario['request'] => ({
  method: 'POST',
  path: '/rpc',
  headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
  body: {
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'Summarise.' }] } },
  },
});
const JSON_HEADERS = { 'content-type': 'application/json' };
const SSE_HEADERS = { 'content-type': 'text/event-stream' };
const answer = (result: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, result });
const task = (state: string): string => answer({ task: { id: 't', contextId: 'c', status: { state } } });
const update = (state: string): string => answer({ statusUpdate: { taskId: 't', status: { state } } });
const event = (data: string): string => `data: ${data}\n\n`;
const ERROR = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'broke' } });

const PAID: Scenario['expected'] = {
  status: 'success',
  source: 'none',
  tokensIn: null,
  tokensOut: null,
  tokensCached: null,
  costNanodollars: 10_000_000n,
};
const NO_TOKENS: NotThere = { why: 'An agent reports no tokens: a message costs what `prices:` says.' };

export const a2a: AccountingRows = {
  title: 'A2A messages',
  dialect: 'a2a',
  allow: ['a2a writer/default'],
  prices: { writer: '{ call: $0.01 }' },
  rows: {
    whole: {
      request: requestOf('SendMessage'),
      answer: { status: 200, headers: JSON_HEADERS, chunks: [task('TASK_STATE_COMPLETED')] },
      expected: PAID,
    },
    streamed: {
      request: requestOf('SendStreamingMessage'),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [event(task('TASK_STATE_WORKING')), event(update('TASK_STATE_COMPLETED'))],
      },
      expected: PAID,
    },
    gzip: {
      request: requestOf('SendMessage'),
      answer: {
        status: 200,
        headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(task('TASK_STATE_COMPLETED'))],
      },
      expected: PAID,
    },
    'cached tokens': NO_TOKENS,
    reasoning: NO_TOKENS,
    'hosted tool': NO_TOKENS,
    disconnect: {
      request: requestOf('SendStreamingMessage'),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [event(task('TASK_STATE_WORKING'))],
        staysOpen: true,
      },
      expected: { ...PAID, status: 'failure', source: 'estimated' },
    },
    'mid-stream error': {
      request: requestOf('SendStreamingMessage'),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [event(task('TASK_STATE_WORKING')), event(ERROR)],
      },
      expected: { ...PAID, status: 'failure' },
    },
  },
};
