import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from '../../../infra/local/dataFolder.ts';

describe('the data folder', () => {
  let parent = '';
  let umask = 0;
  beforeEach(() => {
    umask = process.umask(0);
    parent = mkdtempSync(join(tmpdir(), 'holdfast-folder-'));
  });
  afterEach(() => {
    process.umask(umask);
    rmSync(parent, { recursive: true, force: true });
  });
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  it('is made for this user alone, whatever the umask is', () => {
    const path = join(parent, 'a', 'b');

    const folder = openDataFolder(path);
    folder.keepOperatorKey('hf_operator_x');
    folder.keepTasks(['one']);
    folder.keepAddresses({} as never);

    expect([join(parent, 'a'), path, folder.logs, folder.previousLogs, join(path, 'queues')].map(modeOf)).toEqual(
      Array.from({ length: 5 }, () => '700'),
    );
    const files = ['lock', 'root-key', 'operator-key', 'tasks.json', 'addresses.json'];
    expect(files.map((name) => modeOf(join(path, name)))).toEqual(files.map(() => '600'));
  });

  it('leaves a folder of the user open as it is, and closes what stands in it', () => {
    const path = join(parent, 'mine');
    mkdirSync(join(path, 'queues', 'below'), { recursive: true, mode: 0o755 });
    const loose = ['dynamodb.sqlite', 'dynamodb.sqlite-wal', 'root-key', 'queues/fauxqs.db', 'queues/below/one'];
    for (const name of [...loose, 'notes-of-the-user.txt']) writeFileSync(join(path, name), 'x', { mode: 0o644 });

    openDataFolder(path);

    expect(modeOf(path)).toBe('755');
    expect(loose.map((name) => modeOf(join(path, name)))).toEqual(loose.map(() => '600'));
    expect([join(path, 'queues'), join(path, 'queues', 'below')].map(modeOf)).toEqual(['700', '700']);
    expect(modeOf(join(path, 'notes-of-the-user.txt'))).toBe('644');
  });

  it('refuses a folder in which something else keeps files under the names of ours, and leaves them', () => {
    const path = join(parent, 'theirs');
    mkdirSync(join(path, 'logs'), { recursive: true });
    writeFileSync(join(path, 'logs', 'of-the-user.log'), 'x');

    expect(() => openDataFolder(path)).toThrow(/logs holds files that are not Holdfast's/);
    expect(readdirSync(path)).toEqual(['logs']);
    expect(readdirSync(join(path, 'logs'))).toEqual(['of-the-user.log']);
  });

  it.each(['', '0', 'no number'])('takes a lock that names no process for none: "%s"', (text) => {
    const path = join(parent, 'cut');
    mkdirSync(path);
    writeFileSync(join(path, 'lock'), text);

    expect(openDataFolder(path).path).toBe(path);
  });

  it('keeps the logs of the last run, and of no other', () => {
    for (const run of ['first', 'second', 'third']) {
      const folder = openDataFolder(parent);
      writeFileSync(join(folder.logs, 'functions.log'), run);
      folder.release();
    }

    const { logs, previousLogs } = openDataFolder(parent);

    expect(readdirSync(logs)).toEqual([]);
    expect(readFileSync(join(previousLogs, 'functions.log'), 'utf8')).toBe('third');
  });

  it('keeps them also when a start in between wrote nothing', () => {
    const first = openDataFolder(parent);
    writeFileSync(join(first.logs, 'functions.log'), 'what went wrong');
    first.release();
    openDataFolder(parent).release();

    const { previousLogs } = openDataFolder(parent);

    expect(readFileSync(join(previousLogs, 'functions.log'), 'utf8')).toBe('what went wrong');
  });

  it('leaves the logs of a stack that runs on it alone', () => {
    mkdirSync(join(parent, 'logs'));
    writeFileSync(join(parent, 'logs', 'functions.log'), 'running');
    writeFileSync(join(parent, 'lock'), '1');

    expect(() => openDataFolder(parent)).toThrow('Another Holdfast (process 1) runs on');

    expect(existsSync(join(parent, 'logs', 'functions.log'))).toBe(true);
  });

  it('takes a link to a folder', () => {
    mkdirSync(join(parent, 'real'));
    symlinkSync(join(parent, 'real'), join(parent, 'link'));

    expect(openDataFolder(join(parent, 'link')).path).toBe(join(parent, 'link'));
  });

  it.each([
    ['a file', (inside: string) => (writeFileSync(inside, ''), inside), /is not a folder/],
    ['below a file', (inside: string) => (writeFileSync(inside, ''), join(inside, 'data')), /is not a folder/],
    ['where nothing can be made', () => '/proc/holdfast/data', /cannot be made/],
    [
      'a link to nowhere',
      (inside: string) => (symlinkSync('/nowhere/at/all', inside), inside),
      /is not a folder|cannot be made/,
    ],
    ['a link to itself', (inside: string) => (symlinkSync(inside, inside), inside), /is not a folder|leads back/],
    ['too long a name', (inside: string) => join(inside, 'x'.repeat(300)), /is too long/],
    ['with a NUL', (inside: string) => `${inside}\0`, /cannot be a path/],
    [
      'a folder where a file belongs',
      (inside: string) => (mkdirSync(join(inside, 'lock'), { recursive: true }), inside),
      /holds a folder/,
    ],
  ])('on %s is refused with one sentence that says what to do', (_what, make, sentence) => {
    const path = make(join(parent, 'x'));

    const act = () => openDataFolder(path);

    expect(act).toThrow(sentence);
    expect(act).toThrow('--data DIR');
  });

  it.skipIf(process.getuid?.() === 0)('that this user may not write is refused with one sentence', () => {
    chmodSync(parent, 0o500);

    expect(() => openDataFolder(join(parent, 'x'))).toThrow(/This user may not write .*--data DIR/);
  });
});
