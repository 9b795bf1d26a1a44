import { globSync, readFileSync } from 'node:fs';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

/** Files that change what others import: a mock of a client is one for the whole process. */
const MOCKS = /\bmockClient\(|\bvi\.(?:mock|doMock|spyOn|stubGlobal|stubEnv|useFakeTimers)\b/;
/**
 * Each of these files has a process of its own, although its neighbours share one. The repairs look at a process that nobody prepared, and so do
 * the phones, beside which a client has libsignal as it comes.
 */
const alone = [
  ...globSync('test/**/*.test.ts', { cwd: import.meta.dirname })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => MOCKS.test(readFileSync(`${import.meta.dirname}/${path}`, 'utf8'))),
  'test/worker/socket/repairs/*.test.ts',
  'test/whatsapp/phones.test.ts',
];
/** Real sockets of ours against the simulator, in this process. */
const sockets = ['test/worker/socket/**/*.test.ts'];
/** Everything in the memory of one process, and emulators. */
const pure = [
  'test/{architecture,bench,chaos,contract,functions,quiet,shared}/**/*.test.ts',
  'test/{infra/{access,alarms,dashboards,judges,settings,stacks},ops/aws}/**/*.test.ts',
  'test/worker/{events,facts,fleet,runner,session,status,vitals}/**/*.test.ts',
];

const setupFiles = ['aws-sdk-client-mock-vitest/extend'];
const limits = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } } as const;

/** Files of one project share their processes: modules are loaded once in each, not once in each file. */
const sharing = (name: string, include: string[], exclude: string[]): TestProjectConfiguration => ({
  test: { name, include, exclude, setupFiles, ...limits, pool: 'forks', isolate: false },
});
/** Each file has a process of its own. */
const apart = (name: string, include: string[]): TestProjectConfiguration => ({
  test: { name, include, setupFiles, ...limits, pool: 'forks' },
});

/** Most files wait more than they work, so four run side by side on two cores. What is slower: `vitest.prove.config.ts`. */
export default defineConfig({
  test: {
    maxWorkers: 4,
    passWithNoTests: false,
    projects: [
      sharing('pure', pure, alone),
      sharing('sockets', sockets, alone),
      sharing('processes', ['test/**/*.test.ts'], [...pure, ...sockets, ...alone]),
      apart('alone', alone),
    ],
  },
});
