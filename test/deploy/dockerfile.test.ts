// The Dockerfile, as far as it can be judged without an engine: stages, users, forms. That it builds is not proven here.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifest } from '../packaging/package.ts';
import { ROOT, shipped } from './shipped.ts';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

function stagesOf(text: string): Map<string, Stage> {
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages = new Map<string, Stage & { instructions: Instruction[] }>();
  let current: { instructions: Instruction[] } | undefined;
  for (const line of lines) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === 'FROM') {
      const [from = '', , as = ''] = rest.split(/\s+/);
      const stage = { name: as, from, instructions: [] };
      stages.set(as, stage);
      current = stage;
    } else current?.instructions.push({ name, rest });
  }
  return stages;
}

const stages = stagesOf(shipped('Dockerfile'));
/** What a stage is made of, from its base image on. */
function lineage(name: string): Instruction[] {
  const stage = stages.get(name);
  return stage ? [...lineage(stage.from), ...stage.instructions] : [];
}
const last = (name: string, instruction: string) =>
  lineage(name).findLast((each) => each.name === instruction)?.rest ?? '';

describe.each(['sidecar', 'collector'])('the %s image', (name) => {
  it('runs as a numbered user that is not root, set last', () => {
    expect(last(name, 'USER')).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
  });

  it('starts, and is asked for its health, without a shell', () => {
    const entry = JSON.parse(last(name, 'ENTRYPOINT')) as string[];
    expect(entry[0]).toBe('node');
    expect(JSON.parse(last(name, 'CMD'))).toEqual([name]);
    const health = /CMD\s+(\[.*\])$/.exec(last(name, 'HEALTHCHECK'))?.[1] ?? '';
    expect((JSON.parse(health) as string[]).slice(0, 2)).toEqual(['node', '-e']);
    expect(last(name, 'ENV')).toMatch(/OUTRIDER_READY_URL=http:\/\/127\.0\.0\.1:\d+\/readyz/);
  });

  it('holds only what production needs', () => {
    const packages = stages.get(`${name}-packages`)?.instructions.find((each) => each.name === 'RUN')?.rest;
    expect(packages).toContain('npm ci --omit=dev');
    expect(packages?.includes('--omit=optional')).toBe(name === 'sidecar');
  });
});

it('stands on a Node that Outrider runs on', () => {
  const wanted = Number(/(\d+)/.exec(manifest.engines.node)?.[1]);
  const bases = [...stages.values()].map(({ from }) => from).filter((from) => !stages.has(from));
  expect(bases).not.toEqual([]);
  for (const base of bases)
    expect(Number(/^node:(\d+)-slim$/.exec(base)?.[1])).toBeGreaterThanOrEqual(wanted);
});

it('copies what is there, takes nothing from elsewhere, and holds no secret', () => {
  for (const { name, rest } of [...stages.values()].flatMap(({ instructions }) => instructions)) {
    expect(name).not.toBe('ADD');
    if (name === 'ENV') expect(rest).not.toMatch(/(KEY|TOKEN|SECRET|PASSWORD)=/);
    if (name !== 'COPY' || rest.includes('--from=')) continue;
    for (const source of rest.split(/\s+/).slice(0, -1))
      expect(existsSync(join(ROOT, source)), source).toBe(true);
  }
  const ignored = shipped('.dockerignore').split('\n');
  for (const path of ['.git', 'node_modules', '.outrider', 'deploy/compose/secrets'])
    expect(ignored).toContain(path);
});
