/**
 * Bundles each Lambda entry into one file: `node scripts/bundleFunctions.ts --out DIR` makes DIR/<name>/index.mjs, the
 * contents of a function's code asset, and DIR/api/page/ with the pairing page. The AWS SDK is bundled too: the Lambda runtime changes its own without our
 * doing.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { bundlePage } from './bundlePage.ts';

const root = resolve(import.meta.dirname, '..');
const FUNCTIONS = 'functions';
const ENTRY = 'entry.ts';

export interface Bundle {
  /** The name of the function: `api` for `functions/api/entry.ts`. */
  readonly name: string;
  /** The path of the bundle: `index.mjs` in a folder of its own. */
  readonly file: string;
  readonly bytes: number;
  /** Every file that went into the bundle, relative to the root. */
  readonly inputs: readonly string[];
}

/**
 * Leaves undici out where it is not used. undici does not declare that it can be left out, and so it went into every
 * function that shares a composition with the one that posts webhooks: 556 kB that are parsed at each cold start.
 */
const leaveOutUnused: Plugin = {
  name: 'leave out unused packages',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^undici$/ }, async ({ path, pluginData, ...from }) =>
      pluginData === leaveOutUnused.name
        ? undefined
        : { ...(await esbuild.resolve(path, { ...from, pluginData: leaveOutUnused.name })), sideEffects: false },
    );
  },
};

/** The options with which every bundle is made, for one entry or for several. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  treeShaking: true,
  // Names of classes are kept because they stand in stacks, which people read.
  keepNames: true,
  // `module` comes first: the SDK's other builds are CommonJS and cannot be shaken.
  mainFields: ['module', 'main'],
  // CommonJS code in the bundle asks for Node's own modules by `require`, which an ES module does not have.
  banner: { js: "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);" },
  // Licence comments are left out: nobody reads them in a function, and they are larger than the code.
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'silent',
  plugins: [leaveOutUnused],
} as const satisfies BuildOptions;

/** The names of all entries. */
export function entryNames(): readonly string[] {
  return readdirSync(join(root, FUNCTIONS)).filter((name) => existsSync(join(root, FUNCTIONS, name, ENTRY)));
}

/** Bundles entries, all of them if none are named, into a folder. Rejects with esbuild's own list of problems. */
export async function bundleFunctions(outDir: string, names = entryNames()): Promise<readonly Bundle[]> {
  const { metafile } = await build({
    ...bundleOptions,
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `${FUNCTIONS}/${name}/${ENTRY}`, out: `${name}/index` })),
    outdir: resolve(outDir),
    outExtension: { '.js': '.mjs' },
    metafile: true,
  });
  // The function of the API has the pairing page beside it.
  if (names.includes('api')) await bundlePage(join(resolve(outDir), 'api/page'));
  return Object.entries(metafile.outputs).map(([output, { bytes, inputs, entryPoint = '' }]) => ({
    name: basename(dirname(entryPoint)),
    file: resolve(root, output),
    bytes,
    inputs: Object.keys(inputs),
  }));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (values.out === undefined) {
    process.stderr.write('Say where: node scripts/bundleFunctions.ts --out DIR\n');
    process.exit(2);
  }
  for (const { name, bytes, file } of await bundleFunctions(values.out)) {
    process.stdout.write(
      `${name.padEnd(12)} ${String(Math.round(bytes / 1_000)).padStart(5)} kB  ${relative('.', file)}\n`,
    );
  }
}
