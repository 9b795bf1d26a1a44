import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { citationsIn, faultOf, readTexts } from './citations.ts';

/** What a person reads in about ten minutes. */
const MOST_LINES = 200;
const MOST_WORDS = 2_500;
/** The first page is on one screen or three. */
const MOST_LINES_OF_README = 150;

const root = resolve(import.meta.dirname, '../..');
/** All but the examples of what is wrong. */
const texts = new Map([...readTexts(root)].filter(([path]) => path !== 'test/architecture/citations.test.ts'));
const pages = [...texts].filter(([path]) => /^docs\/[^/]+\.md$/.test(path));
const readme = texts.get('README.md') ?? '';

/** Signs of documents that are not in this repository: sections by number, rows of lists by a letter, folders of a machine. */
const ELSEWHERE = [/(?<!RFC \d+ )\u00a7/, /\bR\d{1,2}\b(?![\w'"`])/, /\/(?:home|Users|work)\/\w/] as const;

describe('what documents and comments cite', () => {
  it('is there, page, heading and path', () => {
    const citations = [...texts].flatMap(([from, text]) => citationsIn(from, text));

    expect(citations.length).toBeGreaterThan(300);
    expect(citations.map((citation) => faultOf(root, citation)).filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('is nothing outside the repository', () => {
    const found = [...texts].flatMap(([path, text]) =>
      text
        .split('\n')
        .map((line, index) => [`${path}:${index + 1}`, line] as const)
        .filter(([, line]) => ELSEWHERE.some((sign) => sign.test(line)))
        .map(([place]) => place),
    );

    expect(found).toEqual([]);
  });
});

describe('commands that documents name', () => {
  const { scripts } = JSON.parse(texts.get('package.json') ?? '{}') as { readonly scripts: Record<string, string> };
  const BUILT_IN = ['ci', 'run', 'start', 'test'];

  it('are scripts of the package', () => {
    const named = [...texts]
      .filter(([path]) => path.endsWith('.md'))
      .flatMap(([path, text]) =>
        [...text.matchAll(/(?:^|`|&& )npm (?:run )?([a-z][\w:-]*)/gm)].map(([command, name = '']) => ({
          path,
          command,
          name,
        })),
      );

    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !(name in scripts) && !BUILT_IN.includes(name))).toEqual([]);
  });
});

describe('docs/finding.md', () => {
  const finding = texts.get('docs/finding.md') ?? '';

  it.each([
    'the reconnect rule',
    'the fence',
    'publish before receipt',
    'a content kind',
    'an action',
    'an event type',
    'a setting',
    'a route',
    'a metric',
    'an alarm',
  ])('says where %s is', (topic) => {
    const row = finding.split('\n').find((line) => line.startsWith(`| ${topic}`)) ?? '';

    expect(row).toMatch(/\]\([\w-]+\.md(?:#[\w-]+)?\)/);
    expect(row).toMatch(/\]\(\.\.\/[\w/.-]+\)/);
  });
});

describe('pages', () => {
  it.each(pages)('%s is read in ten minutes', (_path, text) => {
    const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));

    expect(text.split('\n').length).toBeLessThanOrEqual(MOST_LINES);
    expect(words.length).toBeLessThanOrEqual(MOST_WORDS);
  });

  it('begin with the README, which stays the first page', () => {
    expect(readme.split('\n').length).toBeLessThan(MOST_LINES_OF_README);
  });

  it('begin with a README that names the rooms of a worker', () => {
    const row = readme.split('\n').find((line) => line.startsWith('| `worker/`')) ?? '';
    const named = / from low to high: ([\w, ]+)\./.exec(row)?.[1]?.split(', ') ?? [];
    const rooms = readdirSync(join(root, 'worker'), { withFileTypes: true }).filter((entry) => entry.isDirectory());

    expect(named.toSorted()).toEqual(rooms.map(({ name }) => name).toSorted());
  });

  it('are all named by the README', () => {
    expect(pages.map(([path]) => path).filter((path) => !readme.includes(`](${path})`))).toEqual([]);
  });
});
