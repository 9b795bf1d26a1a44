import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join, resolve } from 'node:path';
import { keptFolder } from '../../scripts/keptFolder.ts';

const root = resolve(fileURLToPath(new URL('../../', import.meta.url)));
const SOURCES = ['functions/pairingPage', 'scripts/bundlePage.ts', 'shared/connection', 'tsconfig.json'];
/** Folders of a few branches. */
const KEPT = 5;
const DEADLINE_MS = 60_000;

/**
 * Makes the files of the pairing page unless they were made of the same sources before. Resolves to their folder.
 * @param hasSandbox whether it has the sandbox phones
 */
export function makePairingPage(hasSandbox: boolean): Promise<string> {
  const also = hasSandbox ? ['--sandbox'] : [];
  return keptFolder({ home: 'holdfast-page', sources: SOURCES, also, most: KEPT, root }, (making) =>
    runBundler(making, also),
  );
}

/** The bundler runs in a process of its own, which takes its memory with it. */
function runBundler(making: string, also: readonly string[]): Promise<void> {
  const args = [join(root, 'scripts/bundlePage.ts'), '--out', making, ...also];
  return new Promise((done, reject) => {
    execFile(process.execPath, args, { timeout: DEADLINE_MS }, (error) => (error === null ? done() : reject(error)));
  });
}
