// What the collector must hold of everything that reached the origin: one record each, which allowed it, with the digest
// of the very same bytes.

import { expect } from 'vitest';
import { rows, until } from '../support/processes.ts';
import type { Received } from './origin.ts';

interface Recorded {
  readonly span: string;
  readonly digest: string;
}

const COMPLETE_MS = 120_000;

/** `sinceMs`: the wall clock before the first of them was sent. */
export async function expectRecorded(
  sql: string,
  reached: readonly Received[],
  sinceMs: number,
): Promise<void> {
  const query = `SELECT lower(SpanId) AS span, SpanAttributes['outrider.request.body.sha256'] AS digest
    FROM otel_traces WHERE SpanAttributes['outrider.verdict'] = 'allow'
    AND Timestamp >= fromUnixTimestamp64Milli(${sinceMs})`;
  const spans = new Set(reached.map(({ spanId }) => spanId));
  expect(spans.size, 'each request has a span of its own').toBe(reached.length);
  let found: ReadonlyMap<string, string> = new Map();
  await until(
    async () => {
      found = new Map((await rows<Recorded>(sql, query)).map(({ span, digest }) => [span, digest]));
      return reached.filter(({ spanId }) => !found.has(spanId));
    },
    (unrecorded) => unrecorded.length === 0,
    COMPLETE_MS,
  );
  const other = reached.filter(({ spanId, digests }) => !digests.includes(found.get(spanId)!));
  expect(other, 'what was judged is what is sent').toEqual([]);
}
