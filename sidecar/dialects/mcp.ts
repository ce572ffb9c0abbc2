// The Model Context Protocol over HTTP: JSON-RPC messages to one endpoint, in every revision from 2024-11-05 to
// 2026-07-28. One room per question in `mcp/`. What is asked for is in the body; headers that repeat it are compared
// with it first. Names stay the server's own on the wire: rules and records put the upstream's name before them.

import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { describe } from './mcp/describe.ts';
import { filteredLists } from './mcp/lists.ts';
import { meterStream, meterWhole } from './mcp/meter.ts';
import { recognise } from './mcp/recognise.ts';
import { refuse } from './mcp/refuse.ts';
import { traceContext } from './mcp/trace-context.ts';
import { isEventStream } from './sse.ts';
import { readThrottle } from './throttle.ts';

export const mcp: Dialect = {
  name: 'mcp',
  recognise,
  describe,
  splices: (_description, body, bytes, _outputTokens, trace = []) => traceContext(body, bytes, trace),
  meterWhole,
  meterStream,
  streams: isEventStream,
  rewriter: filteredLists,
  credentialHeaders: CREDENTIAL_HEADERS,
  credentialHeader: (secret) => ['authorization', `Bearer ${secret}`],
  throttle: readThrottle,
  refuse,
};
