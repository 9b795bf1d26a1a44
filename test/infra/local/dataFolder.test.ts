import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from '../../../infra/local/dataFolder.ts';

const KEY = Buffer.alloc(32, 7);
const ROOM = new URL('../../../infra/local/dataFolder.ts', import.meta.url).href;

/** A process of its own that opens the folder when it is told to, and keeps it until its input ends. */
class Starter {
  readonly #process;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    const script = `const { openDataFolder } = await import(${JSON.stringify(ROOM)});
      process.stdout.write('ready\\n');
      process.stdin.once('data', () => {
        try { globalThis.folder = openDataFolder(process.argv[1]); process.stdout.write('opened\\n'); }
        catch (error) { process.stdout.write(error.message + '\\n'); }
      });`;
    this.#process = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  tell(): void {
    this.#process.stdin.write('now\n');
  }

  async answer(): Promise<string> {
    return (await this.#lines.next()).value as string;
  }

  async end(): Promise<void> {
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}

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
    const loose = ['dynamodb.sqlite-wal', 'root-key', 'queues/journal', 'queues/below/one'];
    for (const name of [...loose, 'notes-of-the-user.txt']) {
      writeFileSync(join(path, name), name === 'root-key' ? KEY : '', { mode: 0o644 });
    }

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
    writeFileSync(join(parent, 'root-key'), KEY);
    writeFileSync(join(parent, 'lock'), text);

    expect(openDataFolder(parent).path).toBe(parent);
  });

  it.each([
    ['of the process that runs this', () => process.ppid],
    ['of one that has ended', () => 2 ** 22 + 1],
  ])(
    'takes over a lock with the number %s: numbers are used again, and only a lock that is held counts',
    (_of, pid) => {
      writeFileSync(join(parent, 'root-key'), KEY);
      writeFileSync(join(parent, 'lock'), String(pid()));

      openDataFolder(parent);

      expect(readFileSync(join(parent, 'lock'), 'utf8')).toBe(String(process.pid));
    },
  );

  it('opens for one of several that start at the same moment, however often', async () => {
    for (const round of ['first', 'second', 'third', 'fourth']) {
      const starters = Array.from({ length: 4 }, () => new Starter(join(parent, round)));
      try {
        for (const starter of starters) expect(await starter.answer()).toBe('ready');
        for (const starter of starters) starter.tell();
        const answers = await Promise.all(starters.map((starter) => starter.answer()));

        expect(answers.filter((answer) => answer === 'opened')).toHaveLength(1);
        for (const answer of answers) expect(answer).toMatch(/^opened$|^Another Holdfast (\(process \d+\) )?runs on /);
      } finally {
        await Promise.all(starters.map((starter) => starter.end()));
      }
    }
  });

  it.each(['', '["03bc', '{"a":1}', 'null', '[1,{}]', '\0\0\0'])(
    'takes tasks that are not whole for none: %j',
    (text) => {
      openDataFolder(parent).release();
      writeFileSync(join(parent, 'tasks.json'), text);

      expect(openDataFolder(parent).tasks).toEqual([]);
    },
  );

  it.each(['lock', 'root-key', 'operator-key', 'tasks.json', 'addresses.json', 'dynamodb.sqlite'])(
    'refuses a folder in which %s is somebody else’s, and leaves it as it was',
    (name) => {
      writeFileSync(join(parent, name), 'a list of mine');

      expect(() => openDataFolder(parent)).toThrow(/Holdfast's.*--data DIR/);
      expect(readdirSync(parent)).toEqual([name]);
      expect(readFileSync(join(parent, name), 'utf8')).toBe('a list of mine');
    },
  );

  it.each([
    ['root-key', '', /root-key is not a key of Holdfast's: it holds 0 bytes and not 32\..*--data DIR/],
    ['root-key', 'cut', /it holds 3 bytes and not 32/],
    ['operator-key', 'hf_operator_cut', /operator-key holds no operator key\. Remove it/],
    ['dynamodb.sqlite', 'no database', /dynamodb\.sqlite is no database any more\..*--data DIR/],
    ['queues/journal', 'no database', /journal is no database any more\..*--data DIR/],
    ['queues', 'a file where a folder belongs', /queues is not a folder/],
  ])('says in one sentence that %s cannot be used when it holds "%s"', (name, text, sentence) => {
    openDataFolder(parent).release();
    rmSync(join(parent, name), { recursive: true, force: true });
    writeFileSync(join(parent, name), text);

    expect(() => openDataFolder(parent)).toThrow(sentence);

    expect(readFileSync(join(parent, name), 'utf8')).toBe(text);
  });

  it('makes a new operator key where the file is empty', () => {
    openDataFolder(parent).release();
    writeFileSync(join(parent, 'operator-key'), '\n');

    expect(openDataFolder(parent).operatorKey).toBeUndefined();
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
    writeFileSync(join(parent, 'root-key'), KEY);
    openDataFolder(parent);
    writeFileSync(join(parent, 'logs', 'functions.log'), 'running');

    expect(() => openDataFolder(parent)).toThrow(`Another Holdfast (process ${process.pid}) runs on`);

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
      (inside: string) => (mkdirSync(join(inside, 'root-key'), { recursive: true }), inside),
      /holds a folder/,
    ],
    [
      'a folder where a file belongs in one of ours',
      (inside: string) => {
        openDataFolder(inside).release();
        mkdirSync(join(inside, 'lock'));
        return inside;
      },
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
