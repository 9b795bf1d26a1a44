import { AppError } from '../../shared/kernel/appError.ts';
import { parseId, type TenantId } from '../../shared/kernel/id.ts';
import { objectKeyOf, shownMediaSchema, toShownMedia, type Media } from '../../shared/media/media.ts';
import { mediaFaults } from '../../shared/media/mediaFaults.ts';
import { askForFiles, type MediaQueue } from '../../shared/media/mediaJob.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { ObjectAddresses, OfferedObject } from '../../shared/media/objectStore.ts';
import { route, type Route } from '../http/route.ts';

export interface MediaRouteDependencies extends MediaQueue {
  readonly media: MediaStore;
  readonly addresses: ObjectAddresses;
}

/** How long an address of a file holds, in seconds: as long as a redirect may take to be followed. */
const ADDRESS_SECONDS = 300;
const PENDING_SECONDS = 3;

const example = {
  id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H',
  type: 'image',
  state: 'ready',
  mime_type: 'image/jpeg',
  bytes: 87_213,
  sha256: 'jXuVMYGEKdVwJHVRpHvF0zeD0hJ8JxYF8yY7rWJzF1o=',
  width: 1_600,
  height: 1_200,
} as const;

/** The routes of files that came with messages. */
export function mediaRoutes(dependencies: MediaRouteDependencies): readonly Route[] {
  const find = (tenantId: TenantId, parameter = ''): Promise<Media> =>
    findMedia(dependencies.media, tenantId, parameter);
  return [
    route('GET', '/v1/media/{mediaId}', {
      summary: 'Get a file: leads to an address that needs no key and ends after five minutes',
      description:
        'The address is another host than that of the API, takes ranges of bytes, and must not be kept: ask anew each time. A browser shows pictures, films and sounds; all else is saved.',
      answers: { status: 302 },
      handle: async ({ tenantId, parameters }) => {
        const media = await find(tenantId, parameters['mediaId']);
        checkReady(media);
        const location = await dependencies.addresses.addressOf(objectKeyOf(media), toOffer(media));
        return { status: 302, headers: { location, 'cache-control': 'no-store' } };
      },
    }),
    route('GET', '/v1/media/{mediaId}/info', {
      summary: 'Read what is known of a file, and whether it is here',
      answers: { status: 200, schema: shownMediaSchema, example },
      handle: async ({ tenantId, parameters }) => ({
        status: 200,
        json: toShownMedia(await find(tenantId, parameters['mediaId'])),
      }),
    }),
    route('POST', '/v1/media/{mediaId}/fetch', {
      summary: 'Have a file fetched that was left, or that failed',
      description:
        'The end is told by `media.ready` or `media.failed`. WhatsApp keeps files for some weeks. A file that is here stays as it is.',
      answers: { status: 202, schema: shownMediaSchema, example: { ...example, state: 'pending' } },
      handle: async ({ tenantId, parameters }) => {
        const before = await find(tenantId, parameters['mediaId']);
        if (before.state === 'failed' || before.state === 'left') await dependencies.media.ask(before);
        const media = await find(tenantId, parameters['mediaId']);
        // One that is pending already may have lost its place in the queue with a request that died here.
        if (media.state === 'pending')
          await askForFiles(dependencies, [{ version: 1, tenantId, mediaId: media.mediaId }]);
        return { status: 202, json: toShownMedia(media) };
      },
    }),
  ];
}

async function findMedia(store: Pick<MediaStore, 'find'>, tenantId: TenantId, parameter: string): Promise<Media> {
  const mediaId = parseId('med', parameter);
  const media = mediaId && (await store.find(mediaId));
  if (media === undefined || media.tenantId !== tenantId) throw new AppError('media_not_found');
  return media;
}

function toOffer({ file, told: { filename } }: Media): OfferedObject {
  return {
    ...(filename === undefined ? {} : { filename }),
    contentType: file.mime_type ?? 'application/octet-stream',
    shownInline: true,
    endsAfterSeconds: ADDRESS_SECONDS,
  };
}

function checkReady({ state, fault }: Media): void {
  if (state === 'pending') throw new AppError('media_pending', { retryAfterSeconds: PENDING_SECONDS });
  if (state === 'left') throw new AppError('media_left');
  if (state === 'failed') {
    throw new AppError('media_failed', fault === undefined ? {} : { detail: mediaFaults[fault].sentence });
  }
}
