import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskSentenceIn } from '../../../infra/local/diskTrouble.ts';
import { LogFile } from '../../../infra/local/logFile.ts';
import { until } from '../../../infra/local/until.ts';

describe('the log of a process', () => {
  let folder = '';
  let said: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (file: string, limitBytes = 1_000): LogFile =>
    new LogFile({
      name: 'worker-1',
      file,
      limitBytes,
      onLogAside: (sentence) => said.push(sentence),
      onLogFailed: (sentence) => said.push(sentence),
    });

  it('goes on in a new file when it is full, says so once, and stays bounded', async () => {
    const file = join(folder, 'worker-1.log');
    const log = open(file);

    for (let index = 0; index < 200; index += 1) log.write(`line ${index} ${'x'.repeat(40)}`);
    log.end();
    await until(
      'the last line',
      () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
      (text) => text.includes('line 199 '),
    );

    expect(said).toEqual([`the log of worker-1 is full and goes on anew; ${file}.1 has what was before`]);
    expect(statSync(file).size).toBeLessThanOrEqual(1_000);
    expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(1_000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('counts what a process before it wrote into the same file', () => {
    const file = join(folder, 'worker-1.log');
    writeFileSync(file, 'x'.repeat(900));

    const log = open(file);
    log.write('x'.repeat(200));
    log.end();

    expect(statSync(`${file}.1`).size).toBe(900);
    expect(said).toHaveLength(1);
  });

  it('has every line in the file once it has ended, without a wait', () => {
    const file = join(folder, 'worker-1.log');
    const log = open(file);

    log.write('first');
    log.writeLines(Buffer.from('second\nthird\n'));
    log.end();
    log.write('after the end');
    log.end();

    expect(readFileSync(file, 'utf8')).toBe('first\nsecond\nthird\n');
  });

  it.skipIf(!existsSync('/dev/full'))('on a full disk says once what to do, and throws nothing', async () => {
    const log = open('/dev/full');

    for (let index = 0; index < 20; index += 1) log.write('line');
    await until(
      'a sentence',
      () => said.length,
      (count) => count > 0,
    );
    log.write('line');
    log.end();

    expect(said).toEqual(['The disk that holds /dev/full is full. Make room, then start again.']);
  });

  it.each([
    [
      'Error: ENOSPC: no space left on device, write',
      'The disk that holds /data is full. Make room, then start again.',
    ],
    ['SqliteError: database or disk is full', 'The disk that holds /data is full. Make room, then start again.'],
    ["Error: EDQUOT: disk quota exceeded, open '/x'", 'Your quota on the disk that holds /data is used up.'],
    ["Error: EROFS: read-only file system, open '/x'", 'The disk that holds /data is mounted read-only.'],
    ['attempt to write a readonly database', 'The disk that holds /data is mounted read-only.'],
  ])('what a child says before it ends is understood: %s', (output, sentence) => {
    expect(diskSentenceIn(`at x\n${output}\n    at y\nNode.js v24`, '/data')).toContain(sentence);
  });

  it('does not take another error for one of the disk', () => {
    expect(diskSentenceIn('Error: connect ECONNREFUSED 127.0.0.1:80', '/data')).toBeUndefined();
  });
});
