// Ends a message's stream as the API does at `max_tokens`: every open block is closed, then the reason, then the end.
// (docs.anthropic.com/en/api/messages-streaming)

import type { JsonObject } from '../dialect.ts';

export function messageEnding(openBlocks: Iterable<number>, outputTokens: number): string {
  const events: readonly JsonObject[] = [
    ...[...openBlocks].map((index) => ({ type: 'content_block_stop', index })),
    {
      type: 'message_delta',
      delta: { stop_reason: 'max_tokens', stop_sequence: null },
      usage: { output_tokens: outputTokens },
    },
    { type: 'message_stop' },
  ];
  return events.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}
