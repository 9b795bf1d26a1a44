import { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import { ExportFiles } from '../../shared/archive/exportFiles.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { ContactStore } from '../../shared/contact/contactStore.ts';
import { LiveCopies } from '../../shared/history/liveCopies.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { Erasures } from '../../shared/media/erasures.ts';
import { MediaStore } from '../../shared/media/mediaStore.ts';
import { S3ObjectStore } from '../../shared/media/s3ObjectStore.ts';
import { S3ObjectUploads } from '../../shared/media/s3ObjectUploads.ts';
import { S3RequestSigner } from '../../shared/media/s3RequestSigner.ts';
import type { ArchiveConfig } from '../../shared/platform/config.ts';
import { makeObjectClient } from '../../shared/platform/objectClient.ts';
import { makeFunctionBreakers } from '../runtime/functionBreakers.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';
import { makeArchiveHandler } from './handler.ts';

/** How long the copy of one file may take, in milliseconds: S3 copies some 100 MB a second within a bucket. */
const COPY_MS = 30_000;

/** The archive function. */
export function composeArchive(config: ArchiveConfig) {
  const parts = composeStores(config, 'archive');
  const breakers = makeFunctionBreakers(parts.metrics.count, parts.logger);
  const signer = new S3RequestSigner(config, () => parts.table.config.credentials(), systemClock);
  return thenFlush(
    parts.metrics,
    makeArchiveHandler({
      ...parts,
      jobs: new ArchiveJobs(parts),
      files: new ExportFiles(parts),
      connections: new ConnectionStore(parts),
      contacts: new ContactStore(parts),
      media: new MediaStore(parts),
      live: new LiveCopies(parts),
      erasures: new Erasures(parts),
      objects: new S3ObjectStore(makeObjectClient(config, { breakers }), config.mediaBucket),
      copies: new S3ObjectUploads(signer, COPY_MS),
    }),
  );
}
