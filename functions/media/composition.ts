import { ChatStore } from '../../shared/chat/chatStore.ts';
import { ContactStore } from '../../shared/contact/contactStore.ts';
import { FILE_BYTES } from '../../shared/content/mediaFile.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { LiveCopies } from '../../shared/history/liveCopies.ts';
import { NoticeStore } from '../../shared/history/noticeStore.ts';
import { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { TenantFiles } from '../../shared/media/keptBytes.ts';
import type { FileToSend } from '../../shared/media/fileToSend.ts';
import { MediaStore } from '../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../shared/media/objectHolds.ts';
import type { PictureUse } from '../../shared/media/pictureBytes.ts';
import { PictureStore } from '../../shared/media/pictureStore.ts';
import { S3ObjectStore } from '../../shared/media/s3ObjectStore.ts';
import { PastMessages } from '../../shared/message/pastMessages.ts';
import { AddressGuard, systemResolve } from '../../shared/platform/addressGuard.ts';
import type { MediaConfig } from '../../shared/platform/config.ts';
import { UploadStore } from '../../shared/media/uploadStore.ts';
import { makeObjectClient } from '../../shared/platform/objectClient.ts';
import { makeFunctionBreakers } from '../runtime/functionBreakers.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';
import { makePicture } from './prepare/makePicture.ts';
import { makeConverter } from './prepare/makeConverter.ts';
import { FileHosts } from './send/fileHosts.ts';
import { prepareWith } from './send/prepareWith.ts';
import { FileSource } from './fileSource.ts';
import { LinkSource } from './linkSource.ts';
import { makeMediaHandler } from './handler.ts';

/**
 * The parts of the media function.
 * @param options.allowLoopback lets links lead to 127.0.0.1 and localhost; only the embedded stack sets it
 */
export function mediaParts(config: MediaConfig, options: { readonly allowLoopback?: boolean } = {}) {
  const stores = composeStores(config, 'media');
  const breakers = makeFunctionBreakers(stores.metrics.count, stores.logger);
  const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: options.allowLoopback ?? false });
  const objects = new S3ObjectStore(makeObjectClient(config, { breakers }), config.mediaBucket);
  const converter = makeConverter(config, stores.logger);
  void converter.tidy();
  return {
    ...stores,
    sending: {
      uploads: new UploadStore({ ...stores, clock: systemClock }),
      hosts: new FileHosts({ origin: config.filesUrl }),
      prepare: prepareWith({ objects, converter }),
      makePicture: (file: FileToSend, as: PictureUse, signal: AbortSignal) =>
        makePicture({ objects, converter }, file, as, signal),
    },
    histories: {
      table: stores.table,
      notices: new NoticeStore(stores),
      past: new PastMessages(stores),
      live: new LiveCopies(stores),
      chats: new ChatStore(stores),
      contacts: new ContactStore(stores),
    },
    pictures: new PictureStore({ ...stores, clock: systemClock }),
    holds: new ObjectHolds(stores),
    tenantFiles: new TenantFiles(stores),
    media: new MediaStore({ ...stores, clock: systemClock }),
    brought: new BroughtFileStore({ ...stores, clock: systemClock }),
    source: new FileSource({ origin: config.filesUrl }),
    links: new LinkSource({ guard, mostBytes: FILE_BYTES }),
    objects,
  };
}

/** The media function, as {@link mediaParts} has its parts. */
export function composeMedia(...given: Parameters<typeof mediaParts>) {
  const parts = mediaParts(...given);
  return thenFlush(parts.metrics, makeMediaHandler(parts));
}
