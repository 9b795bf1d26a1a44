import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import prove from './vitest.prove.config.ts';

const playsSample = (path: string): boolean =>
  readFileSync(`${import.meta.dirname}/${path}`, 'utf8').includes("/sample.ts';");

/** Files of `npm test` that play a sample of their cases there (`test/sample.ts`), with all of them, and no proof beside them. */
export default defineConfig({
  test: {
    ...prove.test,
    env: { HOLDFAST_PLAY_ALL: '1' },
    include: globSync('test/**/*.test.ts', { cwd: import.meta.dirname })
      .map((path) => path.replaceAll('\\', '/'))
      .filter(playsSample),
  },
});
