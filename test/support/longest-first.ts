// Begins with the files that take longest, however short they are: one of them alone at the end would keep all others'
// cores idle.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take more than half a minute, the longest first. */
const LONG = [
  'simulation/simulation',
  'end-to-end/budget',
  'demo/demo',
  'collector/store/crash',
  'end-to-end/accounting',
  'end-to-end/backup',
  'end-to-end/quarantine',
  'packaging/package',
  'fuzz/fuzz',
  'console/console',
  'doors/tunnel',
  'dashboards/live',
  'end-to-end/alerts',
  'collector/main',
  'end-to-end/mcp-stdio',
  'end-to-end/identity',
  'end-to-end/dead-letters',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = (await super.sort(files)).filter(({ moduleId }) => rankOf(moduleId) === -1);
    const long = files.filter(({ moduleId }) => rankOf(moduleId) !== -1);
    return [...long.sort((a, b) => rankOf(a.moduleId) - rankOf(b.moduleId)), ...others];
  }
}

const rankOf = (file: string): number => LONG.findIndex((name) => file.endsWith(`test/${name}.test.ts`));
