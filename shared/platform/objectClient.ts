import { S3Client } from '@aws-sdk/client-s3';
import { deadlines } from '../kernel/deadlines.ts';
import { guardCalls, type ClientGuards } from './callGuards.ts';
import { clientSettings, makeHandler } from './clientSettings.ts';
import type { ObjectConfig } from './objectConfig.ts';
import type { StoreConfig } from './storeConfig.ts';

/**
 * Makes the client of S3. It has a file of its own, so that nobody loads it who stores no files, and longer deadlines than
 * other stores: its calls carry megabytes.
 */
export function makeObjectClient(config: StoreConfig & ObjectConfig, guards: ClientGuards = {}): S3Client {
  const bounds = { callMs: deadlines.objectCall.ms, tryMs: deadlines.objectTry.ms, attempts: 3 };
  const handler = makeHandler(config.maxConnections, bounds);
  const client = new S3Client({
    ...clientSettings(config, config.s3Endpoint, handler, bounds),
    // An address with the bucket as a part of its host needs names that only AWS's own resolve to.
    forcePathStyle: config.s3Endpoint !== undefined,
    // A reader sees a broken answer by its length, and checksums of ranges there are none.
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return guardCalls(client, handler, 's3', bounds.callMs, guards);
}
