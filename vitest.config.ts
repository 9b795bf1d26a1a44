import { defineConfig } from 'vitest/config';

/** Files are modest in number and several start real processes, so at most two run side by side. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['aws-sdk-client-mock-vitest/extend'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    passWithNoTests: false,
  },
});
