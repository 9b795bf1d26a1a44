import { cpSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AssetHashType, DockerImage, type App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

const BUNDLES = 'holdfast:bundles';

/**
 * Says where the bundles of all functions are, as `scripts/bundleFunctions.ts` makes them. They are made before any construct is, in one
 * go, because that reads what they share once, and CDK cannot wait for esbuild's plugins.
 */
export function useBundles(app: App, folder: string): void {
  app.node.setContext(BUNDLES, folder);
}

/** The code of a function: its bundle. @param entry such as `functions/api/entry.ts` */
export function bundledCode(scope: Construct, entry: string): Code {
  return Code.fromAsset(join(import.meta.dirname, '../../functions'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK never uses this image, as the local way always works; the text of its command only tells the assets of one
      // folder apart.
      image: DockerImage.fromRegistry('none'),
      command: [entry],
      local: {
        tryBundle: (outputFolder) => {
          const folder = String(scope.node.getContext(BUNDLES));
          cpSync(join(folder, basename(dirname(entry))), outputFolder, { recursive: true });
          return true;
        },
      },
    },
  });
}
