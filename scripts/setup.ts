// Runs before the tests: checks what they need and installs the Debian packages that are missing, where it may. What
// is there is skipped; what cannot be had is said clearly, and only the tests that need it will fail.

import { spawnSync } from 'node:child_process';

/** Command → Debian package: what the alert rules, dashboards, console, agents' tools and control state are tested with. */
const PACKAGES: Readonly<Record<string, string>> = {
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
  chromium: 'chromium',
  curl: 'curl',
  git: 'git',
  pip3: 'python3-pip',
  pg_ctlcluster: 'postgresql',
};

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

function install(packages: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || !has('apt-get')) return false;
  const run = (args: readonly string[]): boolean =>
    spawnSync('apt-get', args, { stdio: 'inherit' }).status === 0;
  return run(['update', '-qq']) && run(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
}

/** `npm test` puts the pinned Node first; anything older would test something else. */
function checkNodeVersion(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 24 || (major === 24 && minor < 18)) {
    process.stderr.write(
      `The tests run on the Node that npm ci installs; this is ${process.version}. Run them with npm test.\n`,
    );
    process.exit(1);
  }
}

checkNodeVersion();
const missing = Object.entries(PACKAGES).filter(([command]) => !has(command));
if (missing.length > 0) {
  const names = missing.map(([, name]) => name);
  if (!install(names)) {
    process.stderr.write(
      `Not installed and not installable from here: ${names.join(', ')}. Install them with apt-get.\n`,
    );
  }
}
