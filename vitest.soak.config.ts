import { defineConfig } from 'vitest/config';
import { LONG_ONES } from './test/support/long-ones.ts';

export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts', ...LONG_ONES],
    globalSetup: ['test/support/own-folder.ts'],
    testTimeout: 3 * 3_600_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['verbose'],
  },
});
