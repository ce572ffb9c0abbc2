// Compiles what an installed package runs, for Node strips no types under node_modules. dist/ is the repository's root
// again, compiled: whatever code finds beside itself (migrations, alert rules, the console's pages) stands beside it
// there too.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** Rooms that hold more than TypeScript. */
const ROOMS = ['cli', 'contract', 'sidecar', 'collector', 'examples', 'alerts', 'dashboards'];
/** The console is built by its own builder: of this room only what that made is shipped. */
const CONSOLE = join(ROOT, 'collector/console');
const CONSOLE_BUILT = join(CONSOLE, 'dist');

const isSource = (path: string): boolean => /\.tsx?$/.test(path) || /(^|\/)tsconfig[^/]*\.json$/.test(path);

function isShipped(path: string): boolean {
  if (path === CONSOLE || path.startsWith(CONSOLE_BUILT)) return true;
  return !path.startsWith(`${CONSOLE}/`) && !isSource(path);
}

rmSync(DIST, { recursive: true, force: true });
execFileSync('tsc', ['--project', join(ROOT, 'tsconfig.build.json')], { cwd: ROOT, stdio: 'inherit' });
for (const room of ROOMS.filter((name) => existsSync(join(ROOT, name)))) {
  cpSync(join(ROOT, room), join(DIST, room), { recursive: true, filter: isShipped });
}
