import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';

const root = join(import.meta.dirname, '../..');
/** Bundles take seconds; on a machine that is busy with other things, a minute. */
const BUNDLED_WITHIN_MS = 300_000;

let bundles: string | undefined;

/**
 * The folder with the bundles of all functions, made when the first is asked for. They are bundled in one go, because that reads
 * what they share once, and in a process of its own, because CDK cannot wait for esbuild's plugins.
 */
function bundledFunctions(): string {
  if (bundles === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-functions-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    execFileSync(process.execPath, [join(root, 'scripts/bundleFunctions.ts'), '--out', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: BUNDLED_WITHIN_MS,
    });
    bundles = folder;
  }
  return bundles;
}

/** The code of a function: its bundle, as `scripts/bundleFunctions.ts` makes it. @param entry such as `functions/api/entry.ts` */
export function bundledCode(entry: string): Code {
  return Code.fromAsset(join(root, 'functions'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK never uses this image, as the local way always works; the text of its command only tells the assets of one
      // folder apart.
      image: DockerImage.fromRegistry('none'),
      command: [entry],
      local: {
        tryBundle: (outputFolder) => {
          cpSync(join(bundledFunctions(), basename(dirname(entry))), outputFolder, { recursive: true });
          return true;
        },
      },
    },
  });
}
