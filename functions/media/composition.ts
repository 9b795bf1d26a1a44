import { FILE_BYTES } from '../../shared/content/mediaFile.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { TenantFiles } from '../../shared/media/keptBytes.ts';
import { MediaStore } from '../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../shared/media/objectHolds.ts';
import { S3ObjectStore } from '../../shared/media/s3ObjectStore.ts';
import { AddressGuard, systemResolve } from '../../shared/platform/addressGuard.ts';
import type { MediaConfig } from '../../shared/platform/config.ts';
import { UploadStore } from '../../shared/media/uploadStore.ts';
import { makeObjectClient } from '../../shared/platform/objectClient.ts';
import { makeFunctionBreakers } from '../runtime/functionBreakers.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';
import { makeConverter } from './prepare/makeConverter.ts';
import { FileHosts } from './send/fileHosts.ts';
import { prepareWith } from './send/prepareWith.ts';
import { FileSource } from './fileSource.ts';
import { LinkSource } from './linkSource.ts';
import { makeMediaHandler } from './handler.ts';

/**
 * The media function.
 * @param options.allowLoopback lets links lead to 127.0.0.1 and localhost; only the embedded stack sets it
 */
export function composeMedia(config: MediaConfig, options: { readonly allowLoopback?: boolean } = {}) {
  const stores = composeStores(config, 'media');
  const breakers = makeFunctionBreakers(stores.metrics.count, stores.logger);
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: options.allowLoopback ?? false });
  const objects = new S3ObjectStore(makeObjectClient(config, { breakers }), config.mediaBucket);
  const handler = makeMediaHandler({
    ...stores,
    sending: {
      uploads: new UploadStore({ ...stores, clock: systemClock }),
      hosts: new FileHosts({ origin: config.filesUrl }),
      prepare: prepareWith({ objects, converter: makeConverter(config, stores.logger) }),
    },
    holds: new ObjectHolds(stores),
    tenantFiles: new TenantFiles(stores),
    media: new MediaStore({ ...stores, clock: systemClock }),
    brought: new BroughtFileStore({ ...stores, clock: systemClock }),
    source: new FileSource({ origin: config.filesUrl }),
    links: new LinkSource({ guard, mostBytes: FILE_BYTES }),
    objects,
  });
  return thenFlush(stores.metrics, handler);
}
