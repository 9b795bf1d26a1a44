import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashOfSources, keptFolder, keptFolderNow, type KeptFolder } from '../../scripts/keptFolder.ts';

describe('a folder that is kept', () => {
  let root: string;
  let made: number;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-kept-'));
    made = 0;
    mkdirSync(join(root, 'node_modules'));
    mkdirSync(join(root, 'src/inner'), { recursive: true });
    write('src/one.ts', 'one');
    write('src/inner/two.ts', 'two');
    write('src/one.test.ts', 'a test');
    write('package-lock.json', '{}');
    write('node_modules/.package-lock.json', '{}');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = (file: string, text: string): void => writeFileSync(join(root, file), text);
  const make = (folder: string): Promise<void> => {
    made += 1;
    mkdirSync(folder);
    writeFileSync(join(folder, 'out'), 'bytes');
    return Promise.resolve();
  };
  const kept = (other: Partial<KeptFolder> = {}, maker = make): Promise<string> =>
    keptFolder({ home: 'test', sources: ['src'], also: ['entry'], most: 3, root, ...other }, maker);
  const inHome = (): readonly string[] => readdirSync(join(root, 'node_modules/.cache/test'));

  it('is the same whether it is waited for or made at once, and what throws leaves nothing', async () => {
    const now = (maker: (folder: string) => void): string =>
      keptFolderNow({ home: 'test', sources: ['src'], also: ['entry'], most: 3, root }, maker);

    expect(() =>
      now((folder) => {
        mkdirSync(folder);
        throw new Error('half of it');
      }),
    ).toThrow('half of it');
    expect(inHome()).toEqual([]);
    expect(now((folder) => void make(folder))).toBe(await kept());
    expect(now(() => expect.fail('it is there'))).toBe(await kept());
    expect(made).toBe(1);
  });

  it('may carry a name of sources, which changes with them', () => {
    const before = hashOfSources(['src'], root);
    const again = hashOfSources(['src'], root);
    write('src/inner/two.ts', 'changed');

    expect(again).toBe(before);
    expect(hashOfSources(['src'], root)).not.toBe(before);
  });

  it('is made once for the same sources, whatever their tests are', async () => {
    const first = await kept();
    write('src/one.test.ts', 'another test');

    expect(await kept()).toBe(first);
    expect([made, readdirSync(first)]).toEqual([1, ['out']]);
  });

  it.each<[string, () => Partial<KeptFolder> | void]>([
    ['a source has other bytes', () => write('src/inner/two.ts', 'owt')],
    ['a source came', () => write('src/inner/three.js', '')],
    ['a source went', () => rmSync(join(root, 'src/inner/two.ts'))],
    ['a text went from one source to the next', () => (write('src/one.ts', ''), write('src/inner/two.ts', 'twoone'))],
    ['packages are locked otherwise', () => write('package-lock.json', '{ }')],
    ['packages are installed otherwise', () => write('node_modules/.package-lock.json', '{ }')],
    ['it has other entries', () => ({ also: ['other'] })],
  ])('is made anew when %s', async (_name, change) => {
    const first = await kept();
    const second = await kept(change() ?? {});

    expect(second).not.toBe(first);
    expect(made).toBe(2);
  });

  it('is not there when its making fails, and nothing is left', async () => {
    const fails = async (folder: string): Promise<never> => {
      await make(folder);
      throw new Error('no room');
    };

    await expect(kept({}, fails)).rejects.toThrow('no room');
    expect(inHome()).toEqual([]);
    expect(existsSync(await kept())).toBe(true);
  });

  it('is one when two make it at once', async () => {
    const folders = await Promise.all([kept(), kept(), kept()]);

    expect(new Set(folders).size).toBe(1);
    expect([made, inHome().length]).toEqual([3, 1]);
  });

  it('goes when so many others were asked for since', async () => {
    const first = await kept({ also: ['1'] });
    await kept({ also: ['2'] });
    await kept({ also: ['3'] });
    await kept({ also: ['4'] });

    expect(inHome()).toHaveLength(3);
    expect(existsSync(first)).toBe(false);
  });
});
