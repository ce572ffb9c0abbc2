import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**'],
    // Far more than any needs by itself: a machine of two cores does several things at once.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/own-folder.ts'],
    setupFiles: ['test/support/nothing-left.ts'],
    pool: 'forks',
    maxWorkers: 3,
    reporters: ['default'],
  },
});
