import { AppError } from '../../shared/kernel/appError.ts';
import { parseId, type TenantId } from '../../shared/kernel/id.ts';
import type { BroughtFile } from '../../shared/media/broughtFile.ts';
import type { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { askToErase, eraseJobOf } from '../../shared/media/eraseJob.ts';
import { toFileToSend } from '../../shared/media/fileToSend.ts';
import { makePastRow, type PastRowParts } from '../../shared/message/pastRow.ts';
import { shownMediaSchema, toShownMedia, type Media } from '../../shared/media/media.ts';
import { mediaFaults } from '../../shared/media/mediaFaults.ts';
import { askForFiles, type MediaQueue } from '../../shared/media/mediaJob.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { ObjectAddresses, OfferedObject } from '../../shared/media/objectStore.ts';
import { mediaInfoSchema, toMediaInfo } from '../../shared/media/shownFile.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection, type ConnectionRouteDependencies } from './connections.ts';
import { uploadOf, type MediaUploadDependencies } from './mediaUploads.ts';

export interface MediaRouteDependencies
  extends
    MediaQueue,
    PastRowParts,
    Pick<ConnectionRouteDependencies, 'connections'>,
    Pick<MediaUploadDependencies, 'uploads' | 'clock'> {
  readonly media: MediaStore;
  readonly brought: BroughtFileStore;
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

/** The routes of files, whether they came with messages or tenants brought them. */
export function mediaRoutes(dependencies: MediaRouteDependencies): readonly Route[] {
  const find = (tenantId: TenantId, parameter = ''): Promise<Media | BroughtFile> =>
    findMedia(dependencies.media, tenantId, parameter);
  return [
    route('GET', '/v1/media/{mediaId}', {
      summary: 'Get a file: leads to an address that needs no key and ends after five minutes',
      description:
        'The address is another host than that of the API (but for the photo of a contact, whose small picture is all there is), takes ranges of bytes, and must not be kept: ask anew each time. A browser shows pictures, films and sounds; all else is saved.',
      problems: ['media_awaited', 'media_pending', 'media_left', 'media_gone', 'media_failed'],
      answers: { status: 302 },
      handle: async ({ tenantId, parameters }) => {
        const media = await find(tenantId, parameters['mediaId']);
        checkReady(media);
        if (!('broughtBy' in media) && media.file.inside === true) {
          return {
            status: 302,
            headers: { location: `/v1/media/${media.mediaId}/thumbnail`, 'cache-control': 'no-store' },
          };
        }
        const location = await dependencies.addresses.addressOf(toFileToSend(media).objectKey, toOffer(media));
        return { status: 302, headers: { location, 'cache-control': 'no-store' } };
      },
    }),
    route('GET', '/v1/media/{mediaId}/info', {
      summary: 'Read what is known of a file, and whether it is here',
      answers: { status: 200, schema: mediaInfoSchema, example },
      handle: async ({ tenantId, parameters }) => {
        const media = await find(tenantId, parameters['mediaId']);
        const upload = 'broughtBy' in media ? await uploadOf(dependencies, media) : undefined;
        return { status: 200, json: toMediaInfo(media, upload) };
      },
    }),
    thumbnailRoute(dependencies),
    eraseRoute(dependencies),
    fetchRoute(dependencies),
  ];
}

/** The route by which a file is fetched that is not here. */
function fetchRoute(dependencies: MediaRouteDependencies): Route {
  return route('POST', '/v1/media/{mediaId}/fetch', {
    summary: 'Have a file fetched that was left, or that failed',
    description:
      'Of a file that came with a message. The end is told by `media.ready` or `media.failed`. WhatsApp keeps files for some weeks. A file that is here stays as it is. Where its connection is deleted, so are its files, and this is `connection_not_found`.',
    problems: ['connection_not_found'],
    answers: { status: 202, schema: shownMediaSchema, example: { ...example, state: 'pending' } },
    handle: async ({ tenantId, parameters }) => {
      const before = await findReceived(dependencies.media, tenantId, parameters['mediaId']);
      await findConnection(dependencies.connections, tenantId, before.connectionId);
      // A file of a history is erased with its connection by the row of its message.
      await makePastRow(dependencies, before.connectionId, before.messageId, dependencies.clock.nowMs());
      if (mayBeAsked.has(before.state)) await dependencies.media.ask(before);
      const media = await findReceived(dependencies.media, tenantId, parameters['mediaId']);
      // One that is pending already may have lost its place in the queue with a request that died here.
      if (media.state === 'pending')
        await askForFiles(dependencies, [{ version: 1, tenantId, mediaId: media.mediaId }]);
      return { status: 202, json: toShownMedia(media) };
    },
  });
}

const NO_THUMBNAIL =
  'The file has no small picture: its message carried none, or it is a file of yours. `media` shows `thumbnail` where there is one.';

/** The route of the small picture of a file. */
function thumbnailRoute({ media: store }: MediaRouteDependencies): Route {
  return route('GET', '/v1/media/{mediaId}/thumbnail', {
    summary: 'Get the small picture that a message carries of its file',
    description: 'A JPEG of at most 12 KB that draws a picture and holds nothing else. It is there before the file is.',
    problems: ['media_gone'],
    answers: { status: 200, picture: 'image/jpeg' },
    handle: async ({ tenantId, parameters }) => {
      const media = await findMedia(store, tenantId, parameters['mediaId']);
      if (media.state === 'gone') throw new AppError('media_gone');
      const isKept = !('broughtBy' in media) && media.hasThumbnail === true;
      const content = isKept ? await store.findThumbnail(media.mediaId) : undefined;
      if (content === undefined) throw new AppError('media_not_found', { detail: NO_THUMBNAIL });
      return { status: 200, bytes: { contentType: 'image/jpeg', content } };
    },
  });
}

/** The route by which a file is deleted. */
function eraseRoute(dependencies: MediaRouteDependencies): Route {
  return route('DELETE', '/v1/media/{mediaId}', {
    summary: 'Delete a file: from now on it is gone, and its bytes are removed within minutes',
    description:
      'The bytes stay while another file of yours has the same. Addresses that were given out end with them, or after five minutes. Messages keep what they say; what has been sent stays with its readers, and a message that was accepted before may still leave with it. 202 says that it is gone here; asked again it does no harm.',
    answers: { status: 202, schema: mediaInfoSchema, example: { ...example, state: 'gone' } },
    handle: async ({ tenantId, parameters }) => {
      const before = await findMedia(dependencies.media, tenantId, parameters['mediaId']);
      if ('broughtBy' in before) await dependencies.brought.erase(before.mediaId);
      else await dependencies.media.erase(before);
      const gone = await findMedia(dependencies.media, tenantId, parameters['mediaId']);
      // A file that is asked for anew at this moment is there, and stays.
      if (gone.state === 'gone') await askToErase(dependencies, [eraseJobOf(gone)]);
      return { status: 202, json: toMediaInfo(gone) };
    },
  });
}

/** The states in which a file may be fetched anew. */
const mayBeAsked: ReadonlySet<string> = new Set(['failed', 'left', 'gone']);

async function findMedia(
  store: Pick<MediaStore, 'findAny'>,
  tenantId: TenantId,
  parameter = '',
): Promise<Media | BroughtFile> {
  const mediaId = parseId('med', parameter);
  const media = mediaId && (await store.findAny(mediaId));
  if (media === undefined || media.tenantId !== tenantId) throw new AppError('media_not_found');
  return media;
}

const NOT_RECEIVED =
  'Only a file that came with a message can be fetched anew. Upload one of yours again, name a link again, or look a picture up again.';

/** A file that came with a message: one that a tenant brought is nowhere to be fetched again. */
async function findReceived(store: Pick<MediaStore, 'findAny'>, tenantId: TenantId, parameter = ''): Promise<Media> {
  const media = await findMedia(store, tenantId, parameter);
  if ('broughtBy' in media) throw new AppError('media_not_found', { detail: NOT_RECEIVED });
  return media;
}

function toOffer(media: Media | BroughtFile): OfferedObject {
  const { filename, mimeType } = toFileToSend(media);
  return {
    ...(filename === undefined ? {} : { filename }),
    contentType: mimeType ?? 'application/octet-stream',
    shownInline: true,
    endsAfterSeconds: ADDRESS_SECONDS,
  };
}

function checkReady({ state, fault }: Media | BroughtFile): void {
  if (state === 'awaited') throw new AppError('media_awaited');
  if (state === 'pending') throw new AppError('media_pending', { retryAfterSeconds: PENDING_SECONDS });
  if (state === 'left') throw new AppError('media_left');
  if (state === 'gone') throw new AppError('media_gone');
  if (state === 'failed') {
    throw new AppError('media_failed', fault === undefined ? {} : { detail: mediaFaults[fault].sentence });
  }
}
