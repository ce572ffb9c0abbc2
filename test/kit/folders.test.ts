import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeFolders, makeFoldersSync } from '../../kit/folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'folders-'));
});

const WAYS = [
  ['makeFolders', makeFolders],
  ['makeFoldersSync', async (path: string, mode?: number) => makeFoldersSync(path, mode)],
] as const;

describe.each(WAYS)('%s', (_name, make) => {
  it('makes a folder and all above it, and leaves one that is there', async () => {
    const path = join(root, 'a', 'b', 'c');
    await make(path, 0o700);
    await make(path, 0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700);
  });

  it('makes none where a file stands', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(make(join(root, 'file'))).rejects.toThrow('EEXIST');
    await expect(make(join(root, 'file', 'below'))).rejects.toThrow('ENOTDIR');
  });

  it.runIf(existsSync('/proc/self'))('says of a folder that takes none in that it does not', async () => {
    const sentence = "/proc/outrider can't be made: /proc takes no folders; name another one.";
    await expect(make('/proc/outrider/data')).rejects.toThrow(sentence);
  });

  it('makes one folder once, whoever else makes it', async () => {
    const path = join(root, 'x', 'y', 'z');
    await Promise.all(Array.from({ length: 8 }, () => make(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  });
});
