// What leaves is on the disk: a record that others know of and a power cut takes would be written a second time.

import { expect, it } from 'vitest';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { type Disk, systemDisk } from '../../../sidecar/edges/disk.ts';
import { openJournal } from '../../../sidecar/edges/journal.ts';
import { FRAME_KINDS } from '../../../sidecar/edges/journal-frames.ts';
import { openShipped } from '../../../sidecar/edges/shipped.ts';
import { createShipper } from '../../../sidecar/edges/shipper.ts';
import { temporaryDirectory } from '../../support/processes.ts';

it('a record that is written while the disk syncs waits for the next sync', async () => {
  const directory = temporaryDirectory('shipper');
  const meanwhile = ['second', 'third'];
  const end = (text: string): void => {
    void journal.append(FRAME_KINDS.end, Buffer.from(text));
    journal.flush();
  };
  const disk: Disk = {
    ...systemDisk,
    grow(path) {
      const file = systemDisk.grow(path);
      return {
        ...file,
        sync(done) {
          file.sync((failure) => {
            const next = meanwhile.shift();
            if (next) end(next);
            done(failure);
          });
        },
      };
    },
  };
  const { journal } = openJournal({
    directory,
    sizeBytesMax: 1 << 30,
    disk,
    clock: systemClock,
    log: silentLog,
    snapshot: () => Buffer.alloc(0),
  });
  const left: string[] = [];
  const shipper = createShipper({
    journal,
    shipped: openShipped(systemDisk, directory, silentLog),
    clock: systemClock,
    log: silentLog,
    ship: async (body) => void left.push(body.toString()),
    encode: (ends) => Buffer.from(ends.map(({ payload }) => payload.toString()).join(' ')),
    callOf: ({ payload }) => payload.toString(),
  });
  end('first');
  await shipper.drain(5_000);
  shipper.stop();
  expect(left).toEqual(['first', 'second', 'third']);
  await journal.close();
});
