// The pages hold together: no link leads nowhere, the path of a call is the pipeline's, reasons are the sidecar's, decisions
// have numbers of their own.

import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REFUSALS } from '../../contract/refusals.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
const withoutCode = (text: string): string => text.replace(/^```.*?^```/gms, '');

/** As GitHub makes them of headings. */
const anchorsOf = (path: string): string[] =>
  [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );

function deadLinks(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
  return links.filter((to) => {
    if (/^[a-z]+:/.test(to)) return false;
    const [path = '', anchor] = to.split('#');
    const target = path === '' ? page : join(dirname(page), decodeURIComponent(path));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
  });
}

/** `sidecar/pipeline.ts`, but not `sidecar/NAME.ts`: a room of this repository, and nothing to fill in. */
function missingFiles(page: string): string[] {
  const named = read(page).matchAll(
    /`((?:alerts|cli|collector|contract|dashboards|deploy|docs|examples|kit|scripts|sidecar|test)\/[\w./-]+\.\w+)`/g,
  );
  return [...named]
    .map(([, path]) => path!)
    .filter((path) => !/[A-Z]{2}/.test(path) && !existsSync(join(ROOT, path)));
}

describe.each(PAGES)('%s', (page) => {
  test('leads nowhere that is not there, and names no file that is gone', () => {
    expect([...deadLinks(page), ...missingFiles(page)]).toEqual([]);
  });
});

test('the path of a call names every refusal that a sidecar raises, and no other', () => {
  const drawn = /```\n( agent.*?)```/s.exec(read('docs/lifecycle.md'))![1]!;
  const sources = readdirSync(join(ROOT, 'sidecar'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(join('sidecar', path)));
  const raised = Object.keys(REFUSALS).filter((code) => sources.some((text) => text.includes(`'${code}'`)));
  const named = Object.keys(REFUSALS).filter((code) => new RegExp(`\\b${code}\\b`).test(drawn));
  expect(named).toEqual(raised);
});

test('decisions are numbered from 1 without a gap or a twin', () => {
  const numbers = readdirSync(join(ROOT, 'docs/decisions'))
    .sort()
    .map((name) => Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]));
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
});

test('the reasons of refusals are those the sidecar gives', () => {
  const sources = ['sidecar', 'kit'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => read(join(room, path))),
  );
  const table = read('docs/refusals.md')
    .split('## Reasons')[1]!
    .match(/^\| `.*$/gm)!;
  const reasons = [...table.join('\n').matchAll(/`([a-z_]+)`/g)].map(([, reason]) => reason!);
  const known = new Set([...reasons, ...Object.keys(REFUSALS)]);
  const given = sources.flatMap((text) =>
    [...text.matchAll(/Refusal\([^;]*?\breason: '([a-z_]+)'|\bbad\(\s*'([a-z_]+)'/g)].map(
      ([, a, b]) => a ?? b!,
    ),
  );
  expect(given.length).toBeGreaterThan(50);
  expect(given.filter((reason) => !known.has(reason))).toEqual([]);
  const all = sources.join('\n');
  expect(reasons.filter((reason) => !all.includes(`'${reason}'`) && !(reason in REFUSALS))).toEqual([]);
});
