// What spans said, asked for on a cluster: of all that anybody ever said, only what is asked for is held.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../../../collector/store/store.ts';
import { type Double, startDouble } from '../../../support/clickhouse-double.ts';
import { type OpenedStore, openServerTestStore } from '../open.ts';

let double: Double;
let opened: OpenedStore<Store>;
beforeAll(async () => {
  double = await startDouble({ cluster: 'fleet' });
  opened = await openServerTestStore({ url: await double.database(), cluster: 'fleet' });
});
afterAll(async () => {
  await opened.close();
  await double.stop();
});

test('a trace’s messages come back within far less memory than all messages take', async () => {
  const { store } = opened;
  // 100 MB of what others said.
  const others =
    "SELECT toString(number), concat(toString(number), ' ', randomPrintableASCII(1000)), today()";
  await store.command(
    `INSERT INTO message_bodies ${others} FROM numbers(100000) SETTINGS max_block_size = 10000, min_insert_block_size_bytes = 10000000`,
  );
  const hash = 'ab'.repeat(32);
  await store.command(`INSERT INTO message_bodies SELECT '${hash}', 'hello', today()`);
  await store.command(
    `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanAttributes)
     SELECT now64(9), 't', 's', map('gen_ai.input.messages', '["sha256:${hash}","sha256:${'cd'.repeat(32)}"]')`,
  );
  const rows = await store.query(
    "SELECT SpanId, attribute, messages FROM span_messages WHERE TraceId = 't' SETTINGS max_memory_usage = 60000000",
  );
  expect(rows).toEqual([{ SpanId: 's', attribute: 'gen_ai.input.messages', messages: ['hello', null] }]);
});
