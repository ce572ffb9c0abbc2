import { expect, test } from 'vitest';
import { auditFiles } from '../../../collector/edges/audit-files.ts';
import { silentLog } from '../../../kit/log.ts';
import { forgetfulDisk, type Operation } from '../queue/forgetful-disk.ts';

// The checkpoint over it may be there already: of one whose last sync failed, nobody can tell.
test.each<Operation>(['remove', 'create', 'append', 'datasync', 'rename'])(
  'a tile written anew is there whole when the life ends at its %s',
  async (last) => {
    const memory = forgetfulDisk(() => 0);
    let isLast = false;
    const life = memory.live((operation) => (isLast && operation === last ? 'die after' : null));
    const files = auditFiles(life.disk, '/audit/log', silentLog);
    const tile = { path: 'tile/entries/000.p/5', bytes: Buffer.from('five entries') };
    await files.write([tile]);
    isLast = true;
    void files.write([tile]);
    await life.died;
    expect(memory.files().get(`/audit/log/${tile.path}`)).toEqual(tile.bytes);
  },
);
