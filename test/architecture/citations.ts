import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Finds what texts of the repository cite: pages, headings, links and paths. */
export interface Citation {
  /** The text that cites, from the root of the repository. */
  readonly from: string;
  /** What is cited, as it stands there. */
  readonly cited: string;
  /** Where it may be, from the root of the repository. */
  readonly places: readonly string[];
  /** The heading that is meant: its text, or its anchor. */
  readonly heading?: { readonly text: string } | { readonly anchor: string };
}

const TEXTS = /(?:\.(?:ts|md|js|json|html|css)|^Dockerfile|^\.ci\/run)$/;
const LEFT_OUT = new Set(['node_modules', '.git', '.holdfast', 'cdk.out', 'package-lock.json']);
/** Folders of the repository: what begins with one of them is a path of it. */
const FOLDERS = 'shared|worker|functions|infra|ops|test|docs|scripts';

/** Texts of a repository by their path from its root. */
export function readTexts(root: string): ReadonlyMap<string, string> {
  const paths = readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' }).map((name) =>
            join(entry.name, name),
          )
        : [entry.name],
    );
  const texts = paths.filter(
    (path) => TEXTS.test(path) && !path.includes('node_modules') && statSync(join(root, path)).isFile(),
  );
  return new Map(texts.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/** All that a text cites of the repository. */
export function citationsIn(from: string, text: string): readonly Citation[] {
  const isPage = from.endsWith('.md');
  return [
    ...pagesIn(from, text),
    ...(isPage ? [...linksIn(from, text), ...quotedPathsIn(from, text)] : pathsIn(from, text)),
  ];
}

/** Citations of a document by its name, with headings where they follow: `docs/protocol.md, "Send"`. */
function pagesIn(from: string, text: string): readonly Citation[] {
  const found = [
    ...unbroken(text)
      .replaceAll(/https?:\/\/\S+/g, '')
      .matchAll(/(?<![\w/:])([\w./-]+\.md)\b(?:\)|`)*((?:(?:,| and) "[^"]+")*)/g),
  ];
  return found.flatMap((match): readonly Citation[] => {
    const [cited, name = '', headings = ''] = match;
    const places = placesOf(from, name);
    const named = [...headings.matchAll(/"([^"]+)"/g)].map(([, heading = '']) => heading);
    if (named.length === 0) return [{ from, cited, places }];
    return named.map((heading) => ({ from, cited, places, heading: { text: heading } }));
  });
}

/** Links of a page to files, and to headings. */
function linksIn(from: string, text: string): readonly Citation[] {
  const found = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return found
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((cited) => {
      const [name = '', anchor] = cited.split('#');
      const path = name === '' ? from : join(dirname(from), name);
      return { from, cited, places: [path], ...(anchor === undefined ? {} : { heading: { anchor } }) };
    });
}

/** Paths that stand in a page as code: `worker/fleet`, `test/whatsapp/README.md`. */
function quotedPathsIn(from: string, text: string): readonly Citation[] {
  const path = new RegExp(`\`((?:${FOLDERS})/[\\w./-]*)\``, 'g');
  return [...withoutCode(text).matchAll(path)].map(([, cited = '']) => ({ from, cited, places: [cited] }));
}

/** Paths of files that stand in the comments of a source. */
function pathsIn(from: string, text: string): readonly Citation[] {
  const path = new RegExp(`(?<![\\w./-])(?:${FOLDERS})/[\\w/-]+\\.(?:test\\.)?(?:ts|json)\\b`, 'g');
  return commentsOf(text).flatMap((comment) =>
    [...comment.matchAll(path)].map(([cited]) => ({ from, cited, places: [cited] })),
  );
}

function commentsOf(source: string): readonly string[] {
  return [...source.matchAll(/\/\*\*?[^]*?\*\/|(?:^|\s)\/\/[^\n]*/g)].map(([comment]) => comment);
}

/** Comments go on over lines: what stands in two is put together. */
function unbroken(text: string): string {
  return text.replaceAll(/\n\s*(?:\*|\/\/)? ?/g, ' ');
}

function withoutCode(page: string): string {
  return page.replaceAll(/^ *```[^]*?^ *```$/gm, '');
}

/** A name that begins with a folder of the repository is meant from its root; any other from the text's own folder, or the root. */
function placesOf(from: string, name: string): readonly string[] {
  const fromRoot = relative('/', resolve('/', name));
  const beside = relative('/', resolve('/', dirname(from), name));
  return new RegExp(`^(?:${FOLDERS})/`).test(name) ? [fromRoot] : [beside, fromRoot];
}

/** What is wrong with a citation, or undefined when what it cites is there. */
export function faultOf(root: string, { from, cited, places, heading }: Citation): string | undefined {
  const path = places.find((place) => !place.startsWith('..') && existsSync(join(root, place)));
  if (path === undefined) return `${from} cites ${cited}, which is not there`;
  if (heading === undefined) return undefined;
  const headings = headingsOf(readFileSync(join(root, path), 'utf8'));
  const isThere = 'text' in heading ? headings.includes(heading.text) : headings.map(anchorOf).includes(heading.anchor);
  return isThere ? undefined : `${from} cites ${cited}, a heading that ${path} does not have`;
}

/** Headings of a page, without their marks. */
export function headingsOf(page: string): readonly string[] {
  return [...withoutCode(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading.trim());
}

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}
