import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

/** Tests that mock modules or look at what a process is before it was prepared: each file has a process of its own. */
const alone = [
  'test/functions/api/tracing.test.ts',
  'test/worker/socket/repairs/**',
  'test/worker/socket/inbound/inboundOrder.test.ts',
  'test/worker/socket/port/boundedAddresses.test.ts',
];
/** Real sockets against the simulator, in this process. */
const sockets = ['test/worker/socket/**/*.test.ts', 'test/whatsapp/**/*.test.ts'];
/** Everything in the memory of one process, and emulators. */
const pure = [
  'test/{architecture,bench,chaos,contract,functions,quiet,shared}/**/*.test.ts',
  'test/infra/{access,alarms,dashboards,settings,stacks}/**/*.test.ts',
  'test/worker/{events,facts,fleet,runner,session,status,vitals}/**/*.test.ts',
];

const setupFiles = ['aws-sdk-client-mock-vitest/extend'];
const limits = { testTimeout: 20_000, hookTimeout: 30_000 } as const;

/** Files of one project share their processes: modules are loaded once in each, not once in each file. */
const shared = (name: string, include: string[]): TestProjectConfiguration => ({
  test: { name, include, exclude: alone, setupFiles, ...limits, pool: 'forks', isolate: false },
});

/** Several files start real processes, so at most two run side by side. What is slower: `vitest.prove.config.ts`. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    passWithNoTests: false,
    projects: [
      shared('pure', pure),
      shared('sockets', sockets),
      {
        test: {
          name: 'processes',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, ...sockets],
          setupFiles,
          ...limits,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'alone',
          include: alone.map((glob) => (glob.endsWith('**') ? `${glob}/*.test.ts` : glob)),
          setupFiles,
          ...limits,
          pool: 'forks',
        },
      },
    ],
  },
});
