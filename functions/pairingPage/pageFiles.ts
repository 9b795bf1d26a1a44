import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file of the page, as it is and compressed: API Gateway compresses nothing. */
export interface PageFile {
  readonly contentType: string;
  readonly plain: Uint8Array;
  readonly gzipped: Uint8Array;
}

/** The files of the pairing page by their names. `index.html` is the page; the others carry a hash of their content in their name. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export const PAGE = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Reads the files of the page, once for a process. Throws when there are none. */
export function readPageFiles(folder: string): PageFiles {
  const files = new Map(
    readdirSync(folder).flatMap((name) => {
      const contentType = TYPES[name.slice(name.lastIndexOf('.') + 1)];
      if (contentType === undefined) return [];
      const plain = readFileSync(join(folder, name));
      return [[name, { contentType, plain, gzipped: gzipSync(plain, { level: 9 }) }] as const];
    }),
  );
  if (!files.has(PAGE)) throw new Error(`There is no pairing page in ${folder}.`);
  return files;
}
