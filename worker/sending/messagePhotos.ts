import { LRUCache } from 'lru-cache';
import { parseId, type MediaId, type TenantId } from '../../shared/kernel/id.ts';
import type { FileToSend } from '../../shared/media/fileToSend.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import { askForPicture } from '../../shared/media/pictureJob.ts';
import type { PictureStore } from '../../shared/media/pictureStore.ts';
import { photoIdsOf } from '../../shared/media/sentFile.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { SendErrorCode } from '../../shared/message/sendError.ts';
import type { Photos } from '../socket/port/connectionSocket.ts';

export interface MessagePhotosDependencies extends MediaQueue, Pick<Surroundings, 'clock'> {
  readonly owned: OwnedConnection;
  readonly findToSend: (tenantId: TenantId, mediaId: MediaId) => Promise<FileToSend | undefined>;
  readonly pictures: Pick<PictureStore, 'find'>;
  /** Throws when this worker may not act at the moment. Called before each outside effect. */
  readonly assertOpen: () => void;
}

/** The photos that one connection has asked for and remembers. */
const MOST_ASKED = 200;
/** After how long a photo is asked for again, in milliseconds: its job may have been lost with an older release, or have ended in the dead letters. */
const ASK_AGAIN_MS = 60_000;

/** What is known of the photos of a message. */
export type PhotosLook =
  | { readonly file: 'none' | 'waits' }
  | { readonly file: 'photos'; readonly photos: Photos }
  | { readonly file: 'failed'; readonly code: SendErrorCode };
type Photo = { readonly jpeg: Uint8Array } | Exclude<PhotosLook, { readonly file: 'photos' }>;

/**
 * The photos of the contacts that the messages of one connection bring. The function `media` makes each a small JPEG; the message waits until all of them
 * are made, as one with a file does.
 */
export class MessagePhotos {
  readonly #dependencies: MessagePhotosDependencies;
  /** When photos were asked for, on the monotonic clock: made with the first, as most connections send none. */
  #asked: LRUCache<MediaId, number> | undefined;

  constructor(dependencies: MessagePhotosDependencies) {
    this.#dependencies = dependencies;
  }

  /** Looks at the photos of a message, and has those made that are not. Throws when a store or the queue does not answer. */
  async look(message: Pick<SentMessage, 'content' | 'correlationId'>): Promise<PhotosLook> {
    const ids = photoIdsOf(message.content);
    if (ids.length === 0) return { file: 'none' };
    const found = await Promise.all(ids.map(async (id) => [id, await this.#find(id, message)] as const));
    const photos = new Map<string, string>();
    for (const [id, photo] of found) {
      if ('jpeg' in photo) photos.set(id, Buffer.from(photo.jpeg).toString('base64'));
      else if (photo.file === 'failed') return photo;
    }
    return photos.size < ids.length ? { file: 'waits' } : { file: 'photos', photos };
  }

  async #find(id: string, { correlationId }: Pick<SentMessage, 'correlationId'>): Promise<Photo> {
    const { owned, findToSend, pictures } = this.#dependencies;
    const mediaId = parseId('med', id);
    const file = mediaId === undefined ? undefined : await findToSend(owned.tenantId, mediaId);
    if (mediaId === undefined || file === undefined || file.state === 'gone')
      return { file: 'failed', code: 'file_gone' };
    if (file.state === 'pending') return { file: 'waits' };
    if (file.state !== 'ready') return { file: 'failed', code: 'file_not_fetched' };
    const found = await pictures.find(mediaId, 'card');
    if (found?.state === 'ready') return found;
    if (found !== undefined) return { file: 'failed', code: `file_${found.fault}` };
    await this.#ask(mediaId, correlationId);
    return { file: 'waits' };
  }

  async #ask(mediaId: MediaId, correlationId: SentMessage['correlationId']): Promise<void> {
    const { owned, clock, assertOpen } = this.#dependencies;
    const { tenantId, connectionId, shard } = owned;
    const atMs = this.#asked?.get(mediaId);
    if (atMs !== undefined && clock.monotonicMs() - atMs < ASK_AGAIN_MS) return;
    assertOpen();
    await askForPicture(this.#dependencies, { tenantId, connectionId, shard, correlationId, mediaId, as: 'card' });
    this.#asked ??= new LRUCache({ max: MOST_ASKED });
    this.#asked.set(mediaId, clock.monotonicMs());
  }
}
