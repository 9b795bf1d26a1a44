import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('a command whose output nobody reads', () => {
  it.each([
    ['ops/main.ts', '--help'],
    ['ops/cost/main.ts', '--connections', '10'],
    ['scripts/prove.ts', '--list'],
  ])('ends without a word: %s %s', async (...line) => {
    const child = spawn(process.execPath, line, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const said = text(child.stderr);
    const [code] = (await once(child, 'exit')) as [number | null];

    expect([code, await said]).toEqual([0, '']);
  });
});
