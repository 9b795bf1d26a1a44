import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startObjectServer } from '../../infra/local/objects/objectServer.ts';
import type { ObjectConfig } from '../../shared/platform/objectConfig.ts';

export interface ObjectEmulator {
  readonly endpoint: string;
  readonly folder: string;
  readonly config: ObjectConfig;
  readonly stop: () => Promise<void>;
}

/** The S3 emulator, in this process, on a free port, in a folder of its own that goes with it. */
export async function startObjects(nowMs?: () => number): Promise<ObjectEmulator> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-objects-'));
  const bucket = 'test-media';
  const server = await startObjectServer({
    port: 0,
    bucket,
    dataDir: folder,
    ...(nowMs === undefined ? {} : { nowMs }),
  });
  return {
    endpoint: server.endpoint,
    folder,
    config: { mediaBucket: bucket, s3Endpoint: server.endpoint },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
