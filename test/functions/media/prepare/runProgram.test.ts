import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConversionFolders } from '../../../../functions/media/prepare/conversionFolder.ts';
import { runProgram } from '../../../../functions/media/prepare/runProgram.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-programs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const going = new AbortController().signal;
const limits = { ms: 60_000, residentBytes: 300 * 1_024 * 1_024 };
const run = (script: string, given: Partial<typeof limits> = {}, signal = going) =>
  runProgram(process.execPath, ['--eval', script], folder, signal, { ...limits, ...given });

describe('a program that has bytes of a stranger in its hands', () => {
  it('is given no environment, and what it prints is kept', async () => {
    const ended = await run('console.log(JSON.stringify(process.env))');

    expect(ended).toEqual({ end: 'ok', printed: '{}\n' });
  });

  it('is ended when it takes too long', async () => {
    expect(await run('for (;;);', { ms: 1_000 })).toEqual({ end: 'too_costly', what: 'time' });
  });

  it.skipIf(process.platform !== 'linux')(
    'is ended when it takes too much memory, also where its own thread is busy',
    async () => {
      const swells = 'const all = []; for (;;) all.push(Buffer.alloc(1_000_000, 1));';

      expect(await run(swells)).toEqual({ end: 'too_costly', what: 'memory' });
    },
  );

  it('is gone when the caller gives up', async () => {
    const [giving, file] = [new AbortController(), join(folder, 'pid')];
    const script = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); for (;;);`;
    const running = run(script, {}, giving.signal);
    const wait = setInterval(() => {
      if (existsSync(file) && readFileSync(file, 'utf8') !== '') giving.abort(new Error('given up'));
    }, 20);

    await expect(running).rejects.toThrow('given up');

    clearInterval(wait);
    expect(() => process.kill(Number(readFileSync(file, 'utf8')), 0)).toThrow('ESRCH');
  });

  it('says what it complained of where it fails, and is thrown where there is no such program', async () => {
    expect(await run('console.error("no such codec"); process.exit(3)')).toMatchObject({
      end: 'failed',
      complained: 'no such codec\n',
    });
    await expect(runProgram('/nowhere/ffmpeg', [], folder, going)).rejects.toThrow('ENOENT');
  });
});

describe('folders of conversions', () => {
  it('are removed with their file, and so is what killed processes left, and nothing of one that lives', async () => {
    const base = join(folder, 'conversions');
    const child = spawn(process.execPath, ['--eval', ''], { stdio: 'ignore' });
    await once(child, 'exit');
    const names = {
      ofDead: `run-${child.pid}-abc`,
      ofEarlier: `run-${process.pid}-abc`,
      ofLiving: `run-${process.ppid}-abc`,
      ofLivingOld: `run-${process.ppid}-old`,
    };
    for (const name of Object.values(names)) {
      mkdirSync(join(base, name), { recursive: true });
      writeFileSync(join(base, name, 'given'), 'bytes');
    }
    const longAgo = new Date(Date.now() - 2 * 60 * 60_000);
    utimesSync(join(base, names.ofLivingOld), longAgo, longAgo);
    const folders = new ConversionFolders(base);

    const seen = await folders.use((own) => {
      writeFileSync(join(own, 'given'), 'bytes');
      return Promise.resolve({ own, left: Object.values(names).filter((name) => existsSync(join(base, name))) });
    });

    expect(seen.left).toEqual([names.ofLiving]);
    expect(existsSync(seen.own)).toBe(false);
    await expect(folders.use(() => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    expect(existsSync(join(base, names.ofLiving))).toBe(true);
  });
});
