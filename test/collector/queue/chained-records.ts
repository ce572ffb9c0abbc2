// A sidecar as a collector meets it: requests of chained records, one after the other, each sent until it is acknowledged.

import { CHAINS_ATTRIBUTE } from '../../../contract/attributes.ts';
import { CHAIN_START } from '../../../contract/audit-entry.ts';
import { type ChainLink, chainRangesOf, chainRangesText } from '../../../contract/chain-ranges.ts';
import { sealRecord } from '../../../sidecar/record.ts';
import { encodeRequest, encodeSpan } from '../../../sidecar/span.ts';
import { exampleRecord } from '../../sidecar/example-record.ts';

export interface Sidecar {
  readonly stream: string;
  /** The request that is to be sent: the same bytes until it is acknowledged. */
  request(): Buffer;
  acknowledged(): void;
  /** Records acknowledged so far. */
  records(): number;
}

const STATUSES = ['success', 'success', 'success', 'failure', 'refused'] as const;

export function createSidecar(number: number, recordsPerRequest: number): Sidecar {
  const stream = `agent-${number}/host/0001`;
  let seq = 0;
  let previous = CHAIN_START;
  let acknowledged = 0;
  let waiting: Buffer | null = null;

  function next(): Buffer {
    const links: ChainLink[] = [];
    const spans = Array.from({ length: recordsPerRequest }, () => {
      const record = recordOf(number, seq);
      const sealed = sealRecord(record, { stream, seq, previous });
      links.push({ stream, seq, hash: sealed.hash });
      seq += 1;
      previous = sealed.hash;
      return encodeSpan(record, sealed);
    });
    return encodeRequest(spans, {
      'service.name': 'outrider-sidecar',
      [CHAINS_ATTRIBUTE]: chainRangesText(chainRangesOf(links)),
    });
  }

  return {
    stream,
    request() {
      waiting ??= next();
      return waiting;
    },
    acknowledged() {
      waiting = null;
      acknowledged += recordsPerRequest;
    },
    records: () => acknowledged,
  };
}

function recordOf(number: number, seq: number) {
  const id = (number * 2 ** 40 + seq + 1).toString(16).padStart(16, '0');
  return exampleRecord({
    callId: `call-${number}-${seq}`,
    traceId: id + id,
    spanId: id,
    agent: `agent-${number}`,
    instance: 'host',
    task: `task-${Math.floor(seq / 20)}`,
    startedAtMs: Date.now() - 60_000 + (seq % 1_000),
    durationMs: 1 + (seq % 97),
    status: STATUSES[seq % STATUSES.length]!,
    costNanodollars: seq % 7 === 0 ? null : BigInt(1_000_000 + seq),
    toolRequests: [],
  });
}
