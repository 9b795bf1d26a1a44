import { systemClock } from '../../shared/kernel/clock.ts';
import { MediaStore } from '../../shared/media/mediaStore.ts';
import { S3ObjectStore } from '../../shared/media/s3ObjectStore.ts';
import type { MediaConfig } from '../../shared/platform/config.ts';
import { makeObjectClient } from '../../shared/platform/objectClient.ts';
import { makeFunctionBreakers } from '../runtime/functionBreakers.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';
import { FileSource } from './fileSource.ts';
import { makeMediaHandler } from './handler.ts';

/** The media function. */
export function composeMedia(config: MediaConfig) {
  const stores = composeStores(config, 'media');
  const breakers = makeFunctionBreakers(stores.metrics.count, stores.logger);
  const handler = makeMediaHandler({
    ...stores,
    media: new MediaStore({ ...stores, clock: systemClock }),
    source: new FileSource({ origin: config.filesUrl }),
    objects: new S3ObjectStore(makeObjectClient(config, { breakers }), config.mediaBucket),
  });
  return thenFlush(stores.metrics, handler);
}
