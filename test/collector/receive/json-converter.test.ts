// The thread that turns large OTLP/JSON requests into protobuf, and what becomes of those after it when it ends.

import type { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createJsonConverter } from '../../../collector/receive/json-converter.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { manualClock } from '../../support/manual-clock.ts';

const text = 'x'.repeat(64 * 1024);
const body = Buffer.from(JSON.stringify({ resourceLogs: [{ schemaUrl: text }] }));

it('a thread that ended between two requests is followed by another', async () => {
  const threads: Worker[] = [];
  const noted = (thread: Worker) => void threads.push(thread);
  process.on('worker', noted);
  const converter = createJsonConverter(manualClock());
  try {
    const protobuf = jsonToProtobuf('logs', body);
    expect(await converter.toProtobuf('logs', body)).toEqual(protobuf);
    await threads[0]!.terminate();
    expect(await converter.toProtobuf('logs', body)).toEqual(protobuf);
    expect(threads.length).toBe(2);
  } finally {
    process.off('worker', noted);
    await converter.close();
  }
});
