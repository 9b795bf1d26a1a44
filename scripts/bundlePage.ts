/**
 * Bundles the pairing page into a folder: `node scripts/bundlePage.ts --out DIR` makes index.html, and a script, a style and a picture with hashes
 * of their content in their names. Nothing is loaded from elsewhere.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const SOURCE = 'functions/pairingPage/browser';
/** The path of the files of the page, below which the API serves them. */
const SERVED_AT = '/pair/';

/**
 * Makes the files of the page. Rejects with esbuild's own list of problems.
 * @param hasSandbox whether it has the script of the sandbox phones, which the embedded stack alone serves
 */
export async function bundlePage(outDir: string, hasSandbox = false): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['main.ts', 'page.css', 'icon.svg', ...(hasSandbox ? ['sandbox.ts'] : [])].map(
      (name) => `${SOURCE}/${name}`,
    ),
    entryNames: '[name]-[hash]',
    outdir: resolve(outDir),
    bundle: true,
    loader: { '.svg': 'copy' },
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: ['es2022'],
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
  });
  const made = Object.entries(metafile.outputs).map(([file, { entryPoint = '' }]) => [entryPoint, file] as const);
  const addressOf = (entry: string): string => {
    const file = made.find(([from]) => from === `${SOURCE}/${entry}`)?.[1];
    if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`);
    return `${SERVED_AT}${basename(file)}`;
  };
  const beside = hasSandbox ? `<script type="module" src="${addressOf('sandbox.ts')}"></script>` : '';
  const html = readFileSync(join(root, SOURCE, 'page.html'), 'utf8')
    // It listens to what the page tells, and so comes before it.
    .replace('<script', `${beside}<script`)
    .replace('%script%', addressOf('main.ts'))
    .replace('%style%', addressOf('page.css'))
    .replace('%icon%', addressOf('icon.svg'));
  writeFileSync(join(outDir, 'index.html'), html);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, sandbox: { type: 'boolean', default: false } } });
  if (values.out === undefined) {
    process.stderr.write('Say where: node scripts/bundlePage.ts --out DIR\n');
    process.exit(2);
  }
  await bundlePage(values.out, values.sandbox);
}
