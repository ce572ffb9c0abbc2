// Where a configuration comes from: the flag, the environment, the folder, the defaults; and what includes bring in.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConfig, loadConfigFile } from '../../cli/config-file.ts';
import { ConfigError, formatProblem } from '../../contract/config/problems.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function mistakes(path: string): Promise<string> {
  const failure: unknown = await findConfig({ flag: path, env: {} }).catch((error: unknown) => error);
  if (failure instanceof ConfigError) return failure.problems.map(formatProblem).join('\n');
  throw failure;
}

describe('findConfig', () => {
  it('takes the flag before the environment, and the environment before the defaults', async () => {
    const flag = write('flag.yaml', 'fleet: flag');
    const env = { OUTRIDER_CONFIG: write('env.yaml', 'fleet: env') };
    expect(await findConfig({ flag, env })).toMatchObject({ path: flag, config: { fleet: 'flag' } });
    expect(await findConfig({ env })).toMatchObject({ path: env.OUTRIDER_CONFIG, config: { fleet: 'env' } });
  });

  it('takes ./outrider.yaml where there is one, else the defaults', async () => {
    const env = { OUTRIDER_CONFIG: '' };
    expect(await findConfig({ env, folder })).toMatchObject({ path: null, config: { mode: 'observe' } });
    const path = write('outrider.yaml', 'fleet: here');
    expect(await findConfig({ env, folder })).toMatchObject({ path, config: { fleet: 'here' } });
  });

  it.each([
    ['a missing file', 'nope.yaml', 'there is no such file'],
    ['a folder', '.', 'it is a folder'],
  ])('says so about %s', async (_, name, sentence) => {
    expect(await mistakes(join(folder, name))).toContain(sentence);
  });

  it('refuses what is not UTF-8', async () => {
    expect(await mistakes(write('latin.yaml', Uint8Array.of(0x66, 0x3a, 0x20, 0xe9)))).toContain(
      'it is not UTF-8',
    );
  });
});

describe('include', () => {
  it('reads globs beside the main file, sorted, and never the main file itself', async () => {
    const main = write('main.yaml', 'include: ["*.yaml", agents/*.yaml]\nfleet: f');
    const others = [write('agents/a.yaml', 'agents: { a: {} }'), write('agents/b.yaml', 'agents: { b: {} }')];
    const { sources } = await loadConfigFile(main);
    expect(sources.map(({ file }) => file)).toEqual([main, ...others]);
    const { config } = await findConfig({ flag: main, env: {} });
    expect([...config.agents.keys()]).toEqual(['a', 'b']);
  });

  it('lets a pattern match nothing, but not a plain name', async () => {
    const { sources } = await loadConfigFile(write('main.yaml', 'include: [agents/*.yaml]\nfleet: f'));
    expect(sources).toHaveLength(1);
    const main = write('other.yaml', 'fleet: f\ninclude: [agents/a.yaml]');
    expect(await mistakes(main)).toBe(`${main}:2:11: the included file "agents/a.yaml" does not exist`);
  });

  it('shows a mistake in the file that holds it', async () => {
    const main = write('main.yaml', 'include: [a.yaml]');
    const other = write('a.yaml', 'agents:\n  a: { role: nobody }');
    expect(await mistakes(main)).toBe(`${other}:2:14: no role is called "nobody"`);
  });

  it('says which include cannot be read', async () => {
    const main = write('main.yaml', 'include: [a.yaml]');
    mkdirSync(join(folder, 'a.yaml'));
    expect(await mistakes(main)).toContain(
      `${main}:1:11: cannot read ${join(folder, 'a.yaml')}: it is a folder`,
    );
  });
});
