import { defineConfig } from 'vitest/config';
import { LONG_ONES } from './test/support/long-ones.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/** They start nothing and keep nothing outside a test: a process takes one file after the other, and loads the modules once. */
const PURE = [
  'test/{contract,contracts}/**/*.test.ts',
  'test/sidecar/{accept,attempts,dead-letters,dialects,stages}/**/*.test.ts',
  'test/sidecar/*.test.ts',
];

const everywhere = {
  // Far more than any needs by itself: a machine of two cores does several things at once.
  testTimeout: 60_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 30_000 } },
  setupFiles: ['test/support/nothing-left.ts'],
};

export default defineConfig({
  test: {
    globalSetup: ['test/support/own-folder.ts'],
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default'],
    projects: [
      {
        test: {
          ...everywhere,
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: ['test/soak/**', ...LONG_ONES, ...PURE],
        },
      },
      { test: { ...everywhere, name: 'pure', include: PURE, isolate: false } },
    ],
  },
});
