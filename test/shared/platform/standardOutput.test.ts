import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GatheredLines } from '../../../shared/platform/standardOutput.ts';

/** Lines with a clock whose sleeps end when the test says so. */
function someLines({ isGathering = true }: { readonly isGathering?: boolean } = {}) {
  const writes: string[] = [];
  let wake: () => void = () => undefined;
  const clock = {
    sleep: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
  };
  const lines = new GatheredLines({ write: (written) => void writes.push(written), clock, isGathering });
  const pass = async (): Promise<void> => {
    wake();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lines, writes, pass };
}

/** Runs a module, and gives what it printed. */
async function printedBy(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const cwd = fileURLToPath(new URL('../../../', import.meta.url));
  const args = ['--input-type=module-typescript', '-e', code];
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return printed;
}

describe('lines on standard output', () => {
  it('are written together after a moment, in their order', async () => {
    const { lines, writes, pass } = someLines();

    lines.write('one\n');
    lines.write('two\n');
    const before = [...writes];
    await pass();
    lines.write('three\n');
    await pass();

    expect(before).toEqual([]);
    expect(writes).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('are written early when there are many', () => {
    const { lines, writes } = someLines();
    const line = `${'x'.repeat(1_000)}\n`;

    for (let count = 0; count < 40; count += 1) lines.write(line);

    expect(writes).toHaveLength(2);
  });

  it('are written one by one where the process is frozen between two calls', () => {
    const { lines, writes } = someLines({ isGathering: false });

    lines.write('one\n');
    lines.write('two\n');

    expect(writes).toEqual(['one\n', 'two\n']);
  });

  const LOG = `import { makeLogger } from './shared/platform/logger.ts'; const logger = makeLogger('test', 'info');`;

  it.each([
    ['ends', 'process.exit(0);'],
    ['ends by an error that nothing catches', "throw new Error('broken');"],
  ])('are all there when the process %s', async (_how, end) => {
    const printed = await printedBy(`${LOG} logger.info('one'); logger.info('two'); ${end}`);

    expect(printed.match(/"message":"(one|two)"/g)).toEqual(['"message":"one"', '"message":"two"']);
  });

  it.each(['warn', 'error'] as const)(
    'are there at once up to a line of level %s, also when the process is killed',
    async (level) => {
      const printed = await printedBy(
        `${LOG} logger.info('one'); logger.${level}('two'); process.kill(process.pid, 'SIGKILL');`,
      );

      expect(printed.match(/"message":"(one|two)"/g)).toEqual(['"message":"one"', '"message":"two"']);
    },
  );

  it('are there at once in a function of Lambda', async () => {
    const code = `${LOG} logger.info('one'); process.kill(process.pid, 'SIGKILL');`;

    expect(await printedBy(code, { AWS_LAMBDA_FUNCTION_NAME: 'ingest' })).toContain('"message":"one"');
  });
});
