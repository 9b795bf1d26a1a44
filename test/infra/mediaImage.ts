import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { DockerImageCode } from 'aws-cdk-lib/aws-lambda';

let folder: string | undefined;

/** The image of the media function where nobody looks into it: the same in each run, and built by nobody. */
export function anyMediaImage(): DockerImageCode {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'holdfast-any-image-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    writeFileSync(join(made, 'Dockerfile'), 'FROM scratch\n');
    folder = made;
  }
  return DockerImageCode.fromImageAsset(folder, { platform: Platform.LINUX_ARM64 });
}
