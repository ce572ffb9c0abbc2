// The units, by systemd's own judgement where it is there: no mistake, and little exposure.

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/processes.ts';
import { shipped } from './shipped.ts';

const UNITS = ['outrider-collector.service', 'outrider-sidecar@.service'];
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
/** Out of 10; systemd itself calls up to 2 OK. */
const EXPOSURE_MAX = '20';

describe.each(UNITS)('%s', (unit) => {
  const text = shipped(`deploy/systemd/${unit}`);

  it('starts a command that there is, as nobody special, and is not restarted when its config is refused', () => {
    expect(text).toMatch(/^ExecStart=\/usr\/local\/bin\/outrider (collector|sidecar --agent %i)$/m);
    expect(text).toMatch(/^User=outrider$/m);
    expect(text).toMatch(/^RestartPreventExitStatus=2 78$/m);
    expect(text).toMatch(/^ProtectSystem=strict$/m);
  });

  it.runIf(hasSystemd)('is a unit that systemd takes, and hardened', () => {
    const path = join(temporaryDirectory('systemd'), unit.replace('@.', '@scout.'));
    // The command is installed by npm, not here.
    writeFileSync(path, text.replaceAll('/usr/local/bin/outrider', '/bin/true'));
    const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    const judge = ['security', '--offline=true', `--threshold=${EXPOSURE_MAX}`, path];
    expect(() => execFileSync('systemd-analyze', judge, { stdio: 'pipe' })).not.toThrow();
  });
});
