// `outrider audit verify` as a user runs it: an export in a folder, a key in a file, exit codes and sentences.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../cli/audit/verify.ts';
import { UsageError } from '../../../cli/command.ts';
import { createWorld, signer, type WrittenExport, writeExport } from '../../contract/audit/export-world.ts';

const root = mkdtempSync(join(tmpdir(), 'audit-verify-'));
const path = (name: string): string => join(root, name);

function write(name: string, { files }: WrittenExport): void {
  for (const [file, bytes] of files) put(join(name, file), bytes);
}

function put(name: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), bytes);
}

async function verify(...args: string[]): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const code = await run(args, {
    stdout: (text) => void written.push(text),
    stderr: () => undefined,
    env: {},
  });
  return { code, out: written.join('') };
}

const world = createWorld();

beforeAll(() => {
  const good = writeExport(world, [5]);
  const another = writeExport({ ...world, leaves: world.leaves.toReversed() });
  write('good', good);
  put('key', `\n${signer.verifierKey}\n`);
  put('kept/9', good.checkpointAt(9));
  put('worm/0a1b2c3d/checkpoint-6', good.checkpointAt(6));
  put('worm/0a1b2c3d/checkpoint-11', good.checkpointAt(11));
  put('worm/0a1b2c3d/checkpoint-12', ''); // cut short by a crash
  put('worm/ffffffff/checkpoint-9', good.checkpointAt(9).replaceAll('0a1b2c3d', 'ffffffff'));
  put('other-worm/ffffffff/checkpoint-9', good.checkpointAt(9).replaceAll('0a1b2c3d', 'ffffffff'));
  put('forked-worm/0a1b2c3d/checkpoint-9', another.checkpointAt(9));
  put('empty', '');
  write('bad', writeExport({ ...world, rows: world.rows.filter(({ audit_seq }) => audit_seq !== '7') }));
});

afterAll(() => rmSync(root, { recursive: true }));

describe('outrider audit verify', () => {
  it('says that an export holds, and exits 0', async () => {
    const { code, out } = await verify(path('good'), '--key', path('key'), '--against', path('kept'));
    expect(code).toBe(0);
    expect(out).toMatch(
      /^It holds: 48 records of 2 chains and 2 control events, under the checkpoint of 16 leaves of outrider\/test\/0a1b2c3d, from 2026-11-21T09:00:00.000Z to .*; 2 other checkpoints agree\.\n$/,
    );
  });

  it('names what of the export is no file', async () => {
    write('folder', writeExport(world));
    mkdirSync(path('folder/actions/2026-11-21T10.jsonl'));
    await expect(verify(path('folder'), '--key', path('key'))).rejects.toThrow(
      /actions\/2026-11-21T10\.jsonl of the export can't be read \(EISDIR/,
    );
  });

  it('says so where the export is of a range, which nobody signed', async () => {
    write(
      'part',
      writeExport({ ...world, rows: [], control: [] }, [], { until: '2026-11-21T09:00:00.000Z' }),
    );
    const { code, out } = await verify(path('part'), '--key', path('key'));
    expect(code).toBe(0);
    expect(out).toContain(
      'came from the beginning until 2026-11-21T09:00:00.000Z only, says its MANIFEST.json',
    );
  });

  it('takes the key as text, and an older export to compare with', async () => {
    const { code, out } = await verify(
      path('good'),
      '--key',
      signer.verifierKey,
      '--against',
      path('good'),
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ holds: true, records: 48, checkpoints: 3, findings: [] });
  });

  it('holds it to what was told outside, of this log alone', async () => {
    const { code, out } = await verify(
      path('good'),
      '--key',
      path('key'),
      '--anchors',
      path('worm'),
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ holds: true, checkpoints: 3 });
  });

  it('names the checkpoint outside that the log does not begin with', async () => {
    const { code, out } = await verify(path('good'), '--key', path('key'), '--anchors', path('forked-worm'));
    expect(code).toBe(1);
    expect(out).toMatch(
      /^forked: checkpoint, .*forked-worm\/0a1b2c3d\/checkpoint-9: a checkpoint of 9 leaves/,
    );
  });

  it('does not hold where nothing of this log was told', async () => {
    const { code, out } = await verify(path('good'), '--key', path('key'), '--anchors', path('other-worm'));
    expect(code).toBe(1);
    expect(out).toBe(
      'deleted: checkpoint: no checkpoint of what is exported is among those that were told outside.\n',
    );
  });

  it('names the first bad record, and exits 1', async () => {
    const { code, out } = await verify(path('bad'), '--key', path('key'));
    expect(code).toBe(1);
    expect(out.split('\n')[0]).toMatch(/^deleted: record 7 of stream a, log index \d+: It is missing\.$/);
  });

  it.each([
    ['no key', () => [path('good')], /Give the public key by --key/],
    ['no folder', () => ['--key', path('key')], /Write `outrider audit verify DIR/],
    [
      'a key that is no key',
      () => [path('good'), '--key', 'a+00000000+AAAA'],
      /--key a\+00000000\+AAAA: The verifier key/,
    ],
    ['a key that is not there', () => [path('good'), '--key', path('none')], /--key .*none can't be read/],
    ['an empty key', () => [path('good'), '--key', path('empty')], /is an empty file/],
    [
      'nothing to compare with',
      () => [path('good'), '--key', path('key'), '--against', path('none')],
      /--against .*none can't be read/,
    ],
  ])('with %s is bad usage', async (_, args, sentence) => {
    const asked = verify(...args());
    await expect(asked).rejects.toThrow(UsageError);
    await expect(asked).rejects.toThrow(sentence);
  });
});
