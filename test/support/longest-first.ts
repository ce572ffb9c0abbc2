// Begins with the files that take longest, however short they are: one of them alone at the end would keep all others'
// cores idle.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take more than a quarter of a minute, the longest first. */
const LONG = [
  'simulation/simulation',
  'end-to-end/budget',
  'demo/demo',
  'end-to-end/backup',
  'collector/store/load',
  'end-to-end/accounting',
  'fuzz/fuzz',
  'collector/store/crash',
  'dashboards/live',
  'end-to-end/quarantine',
  'console/console',
  'doors/tunnel',
  'end-to-end/alerts',
  'collector/queue/killed',
  'end-to-end/identity',
  'collector/queue/simulation',
  'simulation/mutants',
  'simulation/outage',
  'simulation/small-model',
  'end-to-end/many-sidecars',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = (await super.sort(files)).filter(({ moduleId }) => rankOf(moduleId) === -1);
    const long = files.filter(({ moduleId }) => rankOf(moduleId) !== -1);
    return [...long.sort((a, b) => rankOf(a.moduleId) - rankOf(b.moduleId)), ...others];
  }
}

const rankOf = (file: string): number => LONG.findIndex((name) => file.endsWith(`test/${name}.test.ts`));
