// Which loads a server may have died in: a try whose answer never came, perhaps in an earlier life of ours, and a server
// that started after the segment was written. Once such a segment is loaded, what it brought is looked at (mend.ts).

import { stat } from 'node:fs/promises';
import type { Clock } from '../../../kit/clock.ts';
import { sentenceOf } from '../../../kit/log.ts';
import { QueryFailed } from '../failures.ts';
import { ALONE } from '../layout.ts';
import type { LoadingPorts } from '../load.ts';
import type { Segment, ServerStoreOptions } from '../store.ts';
import { mendSegment, sumsOf } from './mend.ts';

export interface Doubts {
  /** Runs `load`, and looks at what is there when it was in doubt. Throws as `load` does. */
  resolving<T>(ports: LoadingPorts, segment: Segment, load: () => Promise<T>): Promise<T>;
}

type DoubtsOptions = Pick<ServerStoreOptions, 'doubted' | 'clock' | 'log'>;

export function createDoubts(options: DoubtsOptions): Doubts {
  /** Of an earlier life nothing is known: its last try may have been of the first that comes now. */
  let isFirst = true;
  const tried = new Set<string>();

  return {
    async resolving(ports, segment, load) {
      const wasTried = tried.has(segment.id) || isFirst;
      tried.add(segment.id);
      let loaded = await load();
      if (wasTried && ports.layout === ALONE && (await startedSince(ports, segment, options.clock)))
        if (await look(ports, segment, options)) loaded = await load(); // adds nothing, and counts all
      isFirst = false;
      tried.clear(); // they come one after the other
      return loaded;
    },
  };
}

async function startedSince(ports: LoadingPorts, { path }: Segment, clock: Clock): Promise<boolean> {
  const [row] = await ports.query<{ seconds: number }>('SELECT toUInt32(uptime()) AS seconds');
  const { mtimeMs } = await stat(path);
  return row!.seconds * 1000 <= clock.nowMs() - mtimeMs;
}

/** Whether anything was missing. */
async function look(ports: LoadingPorts, segment: Segment, options: DoubtsOptions): Promise<boolean> {
  const { log } = options;
  try {
    const mended = await mendSegment(ports, segment);
    if (mended.length > 0) log.warn('store_mended', { segment: segment.id, mended });
    else await doubtSums(ports, segment, options);
    return mended.length > 0;
  } catch (failure) {
    if (!(failure instanceof QueryFailed)) throw failure;
    // The queue must not stand still for it: the rows that came are there.
    log.error('store_not_looked_at', { segment: segment.id, reason: sentenceOf(failure) });
    return false;
  }
}

async function doubtSums(
  ports: LoadingPorts,
  segment: Segment,
  { doubted, log }: DoubtsOptions,
): Promise<void> {
  const sums = await sumsOf(ports, segment);
  if (sums.length === 0) return;
  await doubted(sums, segment.id);
  log.warn('store_sums_in_doubt', { segment: segment.id, run: `outrider store rebuild ${sums.join(' ')}` });
}
