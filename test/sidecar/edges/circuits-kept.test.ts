// CB-20: what was open is known to the next process, and a file that cannot be read stops nobody.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../../../kit/log.ts';
import { openCircuitsKept } from '../../../sidecar/edges/circuits-kept.ts';

it('CB-20: remembers what opened and did not close', () => {
  const folder = ownFolder();
  const kept = openCircuitsKept(folder, quiet);
  expect(kept.restored).toEqual([]);
  kept.keep('a', true);
  kept.keep('b', true);
  kept.keep('a', false);
  expect(openCircuitsKept(folder, quiet).restored).toEqual(['b']);
});

it.each(['', '{"open": 1}', '[1, null, "b"]', 'no'])('reads %j as far as it can', (text) => {
  const folder = ownFolder();
  writeFileSync(join(folder, 'circuits.json'), text);
  expect(openCircuitsKept(folder, quiet).restored).toEqual(text.includes('"b"') ? ['b'] : []);
});

it('logs what it cannot write', () => {
  const logged: string[] = [];
  const log = createLog('sidecar', (line) => logged.push(line));
  openCircuitsKept(join(ownFolder(), 'nowhere'), log).keep('a', true);
  expect(logged.join()).toContain('circuits.not_kept');
});

const quiet = createLog('sidecar', () => undefined);
const ownFolder = (): string => mkdtempSync(join(tmpdir(), 'circuits-'));
