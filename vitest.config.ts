import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // On a shared CI machine a process may be starved past a deadline; a test that only passes the second time is shown
    // as flaky. At a developer's desk nothing is tried again.
    retry: process.env.CI ? 1 : 0,
    reporters: ['default'],
  },
});
