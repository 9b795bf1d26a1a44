import { defineConfig } from 'vitest/config';

/** Proofs: what takes too long for every change. `npm run prove` starts one process for each, and says when. */
export default defineConfig({
  test: {
    include: ['test/**/*.prove.ts'],
    setupFiles: ['aws-sdk-client-mock-vitest/extend'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 900_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    passWithNoTests: false,
  },
});
