// MCP tools over HTTP: a call costs what `prices:` says per call, whatever the server counts; what did not end costs its
// hold. At $0.005 a call: 5,000,000 nanodollars.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, NotThere, Scenario } from './scenario.ts';

const REQUEST: Scenario['request'] = {
  method: 'POST',
  path: '/',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'search', arguments: { query: 'x' } },
  },
};
const JSON_HEADERS = { 'content-type': 'application/json' };
const SSE_HEADERS = { 'content-type': 'text/event-stream' };
const RESULT = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text: 'found' }] },
});
const ERROR = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'broke' } });
const PROGRESS = JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 1, progress: 1 },
});
const event = (data: string): string => `event: message\ndata: ${data}\n\n`;

const PAID: Scenario['expected'] = {
  status: 'success',
  source: 'none',
  tokensIn: null,
  tokensOut: null,
  tokensCached: null,
  costNanodollars: 5_000_000n,
};
const NO_TOKENS: NotThere = { why: 'A tool has no tokens: a call costs what `prices:` says.' };

export const mcp: AccountingRows = {
  title: 'MCP tools',
  dialect: 'mcp',
  allow: ['mcp tools/search'],
  prices: { tools: '{ call: $0.005 }' },
  rows: {
    whole: {
      request: REQUEST,
      answer: { status: 200, headers: JSON_HEADERS, chunks: [RESULT] },
      expected: PAID,
    },
    streamed: {
      request: REQUEST,
      answer: { status: 200, headers: SSE_HEADERS, chunks: [event(PROGRESS), event(RESULT)] },
      expected: PAID,
    },
    gzip: {
      request: REQUEST,
      answer: {
        status: 200,
        headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(RESULT)],
      },
      expected: PAID,
    },
    'cached tokens': NO_TOKENS,
    reasoning: NO_TOKENS,
    'hosted tool': NO_TOKENS,
    disconnect: {
      request: REQUEST,
      answer: { status: 200, headers: SSE_HEADERS, chunks: [event(PROGRESS)], staysOpen: true },
      expected: { ...PAID, status: 'failure', source: 'estimated' },
    },
    'mid-stream error': {
      request: REQUEST,
      answer: { status: 200, headers: SSE_HEADERS, chunks: [event(PROGRESS), event(ERROR)] },
      expected: { ...PAID, status: 'failure' },
    },
  },
};
