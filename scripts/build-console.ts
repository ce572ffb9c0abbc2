// Builds the console's page into collector/console/dist, when what it is made of is newer than what is there. Runs
// before start, test and pack: a fresh build costs a glance. `node scripts/build-console.ts`.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const CONSOLE = join(import.meta.dirname, '../collector/console');
const BUILT = join(CONSOLE, 'dist/index.html');
/** Beside its own folder, what it takes from others. */
const SOURCES = [CONSOLE, join(import.meta.dirname, '../contract')];

export async function buildConsole(): Promise<void> {
  if (isFresh()) return;
  const { build } = await vite();
  const environment = process.env.NODE_ENV;
  // a page is built for its readers, whoever builds it: under a test's own NODE_ENV it would ask for parts it has not
  process.env.NODE_ENV = 'production';
  try {
    await build({ configFile: join(CONSOLE, 'vite.config.ts'), logLevel: 'warn' });
  } finally {
    if (environment === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = environment;
  }
}

function isFresh(): boolean {
  const built = statSync(BUILT, { throwIfNoEntry: false });
  return built !== undefined && SOURCES.every((folder) => newest(folder) < built.mtimeMs);
}

function newest(folder: string): number {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  const times = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/console/dist/'))
    .map((path) => statSync(path).mtimeMs);
  return Math.max(0, ...times);
}

async function vite(): Promise<typeof import('vite')> {
  try {
    return await import('vite');
  } catch (failure) {
    throw new Error('Vite is not installed: run npm ci with development dependencies.', { cause: failure });
  }
}

if (import.meta.main) {
  try {
    await buildConsole();
  } catch (failure) {
    process.stderr.write(
      `The console was not built. ${failure instanceof Error ? failure.message : failure}\n`,
    );
    process.exitCode = process.argv.includes('--if-possible') ? 0 : 1;
  }
}
