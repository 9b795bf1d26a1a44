/**
 * Builds the browser extension for a deployment: `npm run build:extension -- --out DIR --origin https://api.example.com` makes the folder that
 * Chrome loads. The same sources and origins give the same bytes.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const SOURCE = 'extension';
const WHATSAPP = 'https://web.whatsapp.com';
const RP_ID = 'whatsapp.com';
const ASKING_AT = `${WHATSAPP}/robots.txt`;

/** Makes the files of the extension. Rejects with esbuild's own list of problems, and for what is no origin. */
export async function buildExtension(outDir: string, given: readonly string[]): Promise<void> {
  const origins = given.map(originOf).toSorted();
  await build({
    absWorkingDir: root,
    entryPoints: ['background.ts', 'page.ts', 'window.ts'].map((name) => `${SOURCE}/${name}`),
    outdir: resolve(outDir),
    bundle: true,
    // The person who installs it should be able to read it.
    minify: false,
    charset: 'utf8',
    platform: 'browser',
    format: 'iife',
    target: ['es2022'],
    define: { BUILT_FOR: JSON.stringify({ origins, whatsApp: WHATSAPP, rpId: RP_ID, askingAt: ASKING_AT }) },
    logLevel: 'silent',
  });
  writeFileSync(join(outDir, 'manifest.json'), `${JSON.stringify(manifestFor(origins), null, 2)}\n`);
}

function manifestFor(origins: readonly string[]): object {
  return {
    manifest_version: 3,
    name: 'Holdfast passkey',
    description: 'Lets you use the passkey of your WhatsApp account on the pairing page of your provider.',
    version: '1.0.0',
    minimum_chrome_version: '133',
    background: { service_worker: 'background.js' },
    content_scripts: [
      { matches: origins.map((origin) => `${origin}/pair*`), js: ['page.js'], run_at: 'document_start' },
      { matches: [`${ASKING_AT}*`], js: ['window.js'], run_at: 'document_end' },
    ],
  };
}

/** An origin that browsers take for safe. Throws a RangeError with what to write instead. */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A star would stand for every site.
  const isNamed = /^[a-z\d.-]+$/.test(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || url?.hostname === 'localhost' || url?.hostname === '127.0.0.1';
  if (url === undefined || url.origin !== text || !isSafe || !isNamed) {
    throw new RangeError(
      `${text} is no origin of a pairing page. Write it like https://api.example.com, without a path.`,
    );
  }
  return url.origin;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, origin: { type: 'string', multiple: true } } });
  const { out, origin = [] } = values;
  if (out === undefined || origin.length === 0) {
    process.stderr.write('Say where, and for which pages: --out DIR --origin https://api.example.com\n');
    process.exit(2);
  }
  try {
    await buildExtension(out, origin);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
  process.stdout.write(`The extension is in ${out}. In Chrome: Extensions, Developer mode, Load unpacked.\n`);
}
