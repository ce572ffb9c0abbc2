import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withTokenFile } from '../../cli/token-file.ts';
import { temporaryDirectory } from '../support/processes.ts';

it('reads the join token from the file that is named, unless it is given itself', () => {
  const file = join(temporaryDirectory('token'), 'token');
  writeFileSync(file, 'secret\n');
  expect(withTokenFile({ OUTRIDER_TOKEN_FILE: file })).toMatchObject({ OUTRIDER_TOKEN: 'secret' });
  expect(withTokenFile({ OUTRIDER_TOKEN_FILE: file, OUTRIDER_TOKEN: 'own' }).OUTRIDER_TOKEN).toBe('own');
  expect(withTokenFile({}).OUTRIDER_TOKEN).toBeUndefined();
  expect(() => withTokenFile({ OUTRIDER_TOKEN_FILE: '/nowhere' })).toThrow(
    'OUTRIDER_TOKEN_FILE names /nowhere, which cannot be read (ENOENT).',
  );
});
