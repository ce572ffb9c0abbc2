// The console's own files as Vite built them. A name is only ever one plain segment of a closed alphabet, so no path
// leads out of the folder; everything else is not there.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ConsoleFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

const BUILT = join(import.meta.dirname, '../console/dist');

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const ASSET = /^[A-Za-z0-9_-]{1,100}(?:\.[A-Za-z0-9_-]{1,100})?\.(js|css|svg)$/;

/** The page itself; null when the console was not built. */
export const consolePage = (): Promise<ConsoleFile | null> => fileIn(BUILT, 'index.html');

/** A file whose name holds the hash of what is in it. */
export async function consoleAsset(name: string): Promise<ConsoleFile | null> {
  return ASSET.test(name) ? await fileIn(join(BUILT, 'assets'), name) : null;
}

async function fileIn(folder: string, name: string): Promise<ConsoleFile | null> {
  try {
    const body = await readFile(join(folder, name));
    return { body, contentType: CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1)]! };
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw failure;
  }
}
