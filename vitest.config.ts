import { defineConfig } from 'vitest/config';
import { LONG_ONES } from './test/support/long-ones.ts';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**', ...LONG_ONES],
    // Far more than any needs by itself: a machine of two cores does several things at once.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/own-folder.ts'],
    setupFiles: ['test/support/nothing-left.ts'],
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default'],
  },
});
