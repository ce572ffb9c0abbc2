// Segments as the queue writes them, of requests whose senders a test chooses.

import { digestOf, recordChunks } from '../../../collector/queue/record.ts';

export interface Sent {
  readonly request: Buffer;
  /** '' when nobody authenticated. */
  readonly sender: string;
}

export function segmentOf(sent: readonly Sent[]): Buffer {
  return Buffer.concat(
    sent.flatMap(({ request, sender }) =>
      recordChunks(request, digestOf(request), { receivedAtUnixNano: 1_760_000_000_000_000_000n, sender }),
    ),
  );
}
