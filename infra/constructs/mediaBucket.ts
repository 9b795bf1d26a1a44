import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, HttpMethods, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import {
  keptDaysChoices,
  keptFolderOf,
  objectDaysOf,
  PREPARED_DAYS,
  PREPARED_FOLDER,
} from '../../shared/media/fileKeeping.ts';
import { keptDays } from '../../shared/media/objectRetention.ts';
import { mediaBucketName } from '../settings/resources.ts';
import { acknowledge } from './acknowledge.ts';

/**
 * The bucket with the files of messages. It is kept with the tables when their stack is deleted.
 *
 * - Files are sealed with the stage's key, by a key of the bucket that S3 makes from it, so that not each of them is a call
 *   of KMS.
 * - They end a day after the time for which their tenant has them kept, and the parts of an upload that nobody completed after a day.
 * - There are no versions: what a tenant deletes is gone, and a file has the same bytes whenever it is written.
 * - There is no backup: WhatsApp, the sender and whoever fetched a file have it, and copies would outlive what was deleted.
 *   S3 keeps what it has in three zones.
 */
export function addMediaBucket(scope: Construct, stage: string, encryptionKey: IKey): Bucket {
  const bucket = new Bucket(scope, 'Media', {
    bucketName: mediaBucketName(scope, stage),
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: false,
    // Pages of tenants upload by addresses, which say all that may be done: a key of ours is in no page.
    cors: [
      { allowedMethods: [HttpMethods.PUT], allowedOrigins: ['*'], allowedHeaders: ['content-type'], maxAge: 3_000 },
    ],
    lifecycleRules: [
      { id: 'files', expiration: Duration.days(keptDays) },
      // A tenant that has its files kept for a shorter time has them in a folder of their own.
      ...keptDaysChoices
        .filter((days) => objectDaysOf(days) < keptDays)
        .map((days) => ({
          id: `files-${days}`,
          prefix: `${keptFolderOf(days)}/`,
          expiration: Duration.days(objectDaysOf(days)),
        })),
      { id: 'prepared', prefix: `${PREPARED_FOLDER}/`, expiration: Duration.days(PREPARED_DAYS) },
      { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  acknowledge(
    bucket,
    'Files are read by addresses that the API gives out and logs, and which end after minutes; a log of each read would need a bucket of its own.',
    'AwsSolutions-S1',
  );
  return bucket;
}
