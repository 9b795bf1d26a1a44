import { LRUCache } from 'lru-cache';
import type { Action } from '../../shared/action/action.ts';
import type { ActionErrorCode } from '../../shared/action/actionError.ts';
import { isKnownKind, rowOf } from '../../shared/action/actionKinds.ts';
import { pictureErrorOf } from '../../shared/action/pictureErrors.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { parseId, type ActionId, type MediaId, type TenantId } from '../../shared/kernel/id.ts';
import type { FileToSend } from '../../shared/media/fileToSend.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import { askForPicture } from '../../shared/media/pictureJob.ts';
import type { PictureStore } from '../../shared/media/pictureStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';

/** What is known of the picture that an action sets. */
export type PictureLook =
  | { readonly picture: 'none' }
  | { readonly picture: 'ready'; readonly jpeg: Uint8Array }
  /** It is being made. It is looked at again after so long, or when somebody says that it is there. */
  | { readonly picture: 'waits'; readonly againInMs: number }
  | { readonly picture: 'failed'; readonly code: ActionErrorCode };

export interface ActionPicturesDependencies extends MediaQueue {
  readonly owned: OwnedConnection;
  readonly clock: Pick<Surroundings['clock'], 'monotonicMs'>;
  readonly findToSend: (tenantId: TenantId, mediaId: MediaId) => Promise<FileToSend | undefined>;
  readonly pictures: Pick<PictureStore, 'find'>;
  /** Throws when this worker may not act at the moment. Called before each outside effect. */
  readonly assertOpen: () => void;
}

/** The actions of one connection whose pictures are remembered as asked for: as many as may be open. */
const MOST_ASKED = 200;
/** After how long a picture is asked for again, in milliseconds: its job may have been lost with an older release, or have ended in the dead letters. */
const ASK_AGAIN_MS = 60_000;
/** The pauses between two looks: somebody says when it is there, as a rule. */
const LOOK = { firstMs: 1_000, capMs: 30_000 } as const;

interface Asked {
  readonly looks: number;
  /** When the picture was asked for, on the monotonic clock; undefined while its file is fetched. */
  readonly atMs: number | undefined;
}

/**
 * The pictures that the actions of one connection set. The function `media` makes them of files; until it has, nothing of the action is begun, so that one
 * whose picture never comes expires, and nothing was done.
 *
 * - *The worker dies after it has asked*: the next owner asks again, and the same picture is made again.
 * - *Nobody tells that it is there*: the row is looked at again.
 */
export class ActionPictures {
  readonly #dependencies: ActionPicturesDependencies;
  /** The pictures that were asked for: made with the first, as most connections set none. */
  #asked: LRUCache<ActionId, Asked> | undefined;

  constructor(dependencies: ActionPicturesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Looks at the picture of an action, and has it made where nobody has. Throws when a store or the queue does not answer. */
  async look(action: Pick<Action, 'actionId' | 'kind' | 'request' | 'correlationId'>): Promise<PictureLook> {
    const { actionId, kind, request } = action;
    if (!isKnownKind(kind) || rowOf(kind).file === undefined) return { picture: 'none' };
    const { owned, findToSend, pictures } = this.#dependencies;
    const mediaId = parseId('med', String(request['id']));
    const file = mediaId === undefined ? undefined : await findToSend(owned.tenantId, mediaId);
    if (mediaId === undefined || file === undefined || file.state === 'gone')
      return this.#failed(actionId, 'file_gone');
    if (file.state === 'pending') return this.#waits(actionId, this.#asked?.get(actionId)?.atMs);
    if (file.state !== 'ready') return this.#failed(actionId, 'file_not_fetched');
    const found = await pictures.find(mediaId, 'portrait');
    if (found?.state === 'failed') return this.#failed(actionId, pictureErrorOf(found.fault));
    if (found !== undefined) {
      this.#asked?.delete(actionId);
      return { picture: 'ready', jpeg: found.jpeg };
    }
    return this.#waits(actionId, await this.#ask(action, mediaId));
  }

  /** Has the picture made, unless that was asked for a moment ago. Returns when it was. */
  async #ask(
    { actionId, correlationId }: Pick<Action, 'actionId' | 'correlationId'>,
    mediaId: MediaId,
  ): Promise<number> {
    const { owned, clock, assertOpen } = this.#dependencies;
    const { tenantId, connectionId, shard } = owned;
    const atMs = this.#asked?.get(actionId)?.atMs;
    if (atMs !== undefined && clock.monotonicMs() - atMs < ASK_AGAIN_MS) return atMs;
    assertOpen();
    await askForPicture(this.#dependencies, { tenantId, connectionId, shard, correlationId, mediaId, as: 'portrait' });
    return clock.monotonicMs();
  }

  #waits(actionId: ActionId, atMs: number | undefined): PictureLook {
    const looks = this.#asked?.get(actionId)?.looks ?? 0;
    this.#asked ??= new LRUCache({ max: MOST_ASKED });
    this.#asked.set(actionId, { looks: looks + 1, atMs });
    return { picture: 'waits', againInMs: backoffMs(LOOK, looks, 1) };
  }

  #failed(actionId: ActionId, code: ActionErrorCode): PictureLook {
    this.#asked?.delete(actionId);
    return { picture: 'failed', code };
  }
}
