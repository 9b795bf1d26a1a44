import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync, type BuildOptions } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/** Libraries that are not modules call `require`, which a module does not have. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * How a function becomes one file. The SDK is bundled too, because the runtime brings another version than the one that
 * is tested.
 * @param entries paths from the root of the repository
 */
export function bundleOptions(...entries: readonly string[]): BuildOptions {
  return {
    entryPoints: entries.map((entry) => join(root, entry)),
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    banner: { js: REQUIRE },
    logLevel: 'warning',
  };
}

/** A function's code: bundled in this process, because CDK starts npx and esbuild anew for each, which takes most of a synthesis. */
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
          buildSync({ ...bundleOptions(entry), outfile: join(outputFolder, 'index.mjs') });
          return true;
        },
      },
    },
  });
}
