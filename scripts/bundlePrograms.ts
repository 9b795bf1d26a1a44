/**
 * Bundles programs that run as processes of their own: `node scripts/bundlePrograms.ts --out DIR ENTRY…` makes
 * `DIR/worker/main.mjs` of `worker/main.ts`, with source maps, and chunks for what several of them share. A process that
 * runs TypeScript keeps the compiler that strips the types, and hundreds of files with comments: 20 to 50 MB.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type BuildOptions, type Loader, type Plugin } from 'esbuild';
import { bundleOptions } from './bundleFunctions.ts';

const root = resolve(import.meta.dirname, '..');

/**
 * Packages that are loaded from where they are installed: repairs change libsignal's own modules, and the emulator of SQS
 * is put together from files of its package. A copy in a bundle would be another module beside those. Codecs bring machine
 * code, or a text of it that needs no second copy.
 */
export const CODECS = ['sharp', '@evan/opus', 'mpg123-decoder', '@wasm-audio-decoders/*', 'mediabunny'];
const INSTALLED = ['libsignal', 'fauxqs', ...CODECS];

/** Baileys' WebAssembly is 2 MB of text, and 7 MB in each process, for what few processes ever do. */
const bridgeWhenNeeded: Plugin = {
  name: 'bridge when needed',
  setup: (esbuild) => {
    const path = resolve(root, 'worker/socket/repairs/bridgeWhenNeeded.ts');
    esbuild.onResolve({ filter: /^whatsapp-rust-bridge$/ }, () => ({ path }));
  },
};

/** zod brings its messages in fifty languages; English is the one that is used. */
const englishOnly: Plugin = {
  name: 'English only',
  setup: (esbuild) => {
    esbuild.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: resolve(root, 'node_modules/zod/v4/locales'),
    }));
  },
};

/** Files beside the sources of the embedded stack, such as pages, are found from where the source is. */
const ownAddresses: Plugin = {
  name: 'own addresses',
  setup: (esbuild) => {
    esbuild.onLoad({ filter: /[\\/](?:infra[\\/]local|test)[\\/].*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

/**
 * Source maps name the files of packages without their lines. Node reads a map whole, and nine tenths of it were packages:
 * 13 MB in each process.
 */
const packagesInBrief: Plugin = {
  name: 'packages in brief',
  setup: (esbuild) => {
    esbuild.onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, ({ path }) => {
      const sources = [path.replaceAll('\\', '/').replace(/^.*\/node_modules\//, '')];
      const map = Buffer.from(JSON.stringify({ version: 3, sources, mappings: 'AAAA' })).toString('base64');
      const text = readFileSync(path, 'utf8').replace(/\/\/# sourceMappingURL=\S*\s*$/, '');
      const loader: Loader = 'js';
      return { contents: `${text}\n//# sourceMappingURL=data:application/json;base64,${map}`, loader };
    });
  },
};

/** How entries, paths from the root of the repository, become programs. */
export function programOptions(entries: readonly string[]) {
  return {
    ...bundleOptions,
    // Names stay, so that a stack can be read without its map, too.
    minify: false,
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: false,
    sourcemap: true,
    sourcesContent: false,
    splitting: true,
    absWorkingDir: root,
    entryPoints: [...entries],
    outbase: root,
    outExtension: { '.js': '.mjs' },
    external: INSTALLED,
    plugins: [...bundleOptions.plugins, bridgeWhenNeeded, englishOnly, ownAddresses, packagesInBrief],
  } as const satisfies BuildOptions;
}

/** Bundles entries into a folder. Rejects with esbuild's own list of problems. */
export async function bundlePrograms(outDir: string, entries: readonly string[]): Promise<void> {
  await build({ ...programOptions(entries), outdir: resolve(outDir) });
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  if (values.out === undefined || positionals.length === 0) {
    process.stderr.write('Say where and what: node scripts/bundlePrograms.ts --out DIR ENTRY…\n');
    process.exit(2);
  }
  await bundlePrograms(values.out, positionals);
}
