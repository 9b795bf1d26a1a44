import { LRUCache } from 'lru-cache';
import { sentFileOf, type SentFile } from '../../shared/media/sentFile.ts';
import { isChannel } from '../../shared/kernel/jid.ts';
import { parseId, type MediaId, type TenantId } from '../../shared/kernel/id.ts';
import type { FileToSend } from '../../shared/media/fileToSend.ts';
import { askForUpload, type SendJobQueue } from '../../shared/media/sendJob.ts';
import { FAILURE_STANDS_MS, failureStands, uploadNameOf, type Upload } from '../../shared/media/upload.ts';
import type { PictureStore } from '../../shared/media/pictureStore.ts';
import { isFresh } from '../../shared/media/uploadedFile.ts';
import type { UploadStore } from '../../shared/media/uploadStore.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { SendErrorCode } from '../../shared/message/sendError.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { FileOfSend, MediaHosts, Photos, SendingSocket, SendOutcome } from '../socket/port/connectionSocket.ts';
import { LookUpError, toOutcome } from '../socket/port/lookUpError.ts';
import { MessagePhotos } from './messagePhotos.ts';

/** What is known of the file of a message. */
export type FileLook =
  | { readonly file: 'none' }
  | { readonly file: 'ready'; readonly sent: FileOfSend }
  /** It has no file of its own, and the photos of its contacts are made. */
  | { readonly file: 'photos'; readonly photos: Photos }
  /** It was asked for, and is not at WhatsApp yet. */
  | { readonly file: 'waits' }
  | { readonly file: 'failed'; readonly code: SendErrorCode }
  /** WhatsApp did not say where files may be uploaded. */
  | { readonly file: 'not_looked_up'; readonly outcome: LookUpOutcome };
type LookUpOutcome = Extract<SendOutcome, { readonly outcome: 'look_up_refused' | 'look_up_unanswered' }>;

/** Files as they lie at WhatsApp, by tenant, id and use: all connections of a worker share them. */
export type KnownFiles = LRUCache<string, FileOfSend>;

/** The files that a worker remembers: with a small picture of 12 KB each, a few megabytes. */
const MOST_KNOWN = 300;
/** The files that one connection has asked for and remembers. */
const MOST_ASKED = 200;
/** After how long a file is asked for again, in milliseconds: its job may have ended in the dead letters, where a person looks. */
const ASK_AGAIN_MS = 3_600_000;

export function makeKnownFiles(): KnownFiles {
  return new LRUCache({ max: MOST_KNOWN });
}

export interface MessageFilesDependencies extends SendJobQueue, Pick<Surroundings, 'clock'> {
  readonly owned: OwnedConnection;
  readonly findToSend: (tenantId: TenantId, mediaId: MediaId) => Promise<FileToSend | undefined>;
  readonly uploads: Pick<UploadStore, 'find'>;
  readonly known: KnownFiles;
  readonly pictures: Pick<PictureStore, 'find'>;
  /** Throws when this worker may not act at the moment. Called before each outside effect. */
  readonly assertOpen: () => void;
}

interface Asked {
  /** The round of the upload that it was asked for in. */
  readonly round: number;
  readonly atMs: number;
}

/** A file that is asked for. */
interface Asking {
  readonly mediaId: MediaId;
  readonly sent: SentFile;
  readonly plain: boolean;
  readonly place: string;
  readonly round: number;
}

/**
 * The files that the messages of one connection are made of. A file that is not at WhatsApp, or has been there for too long, is asked for
 * once: the function `media` prepares and uploads it, with the token that this connection gets from WhatsApp. Its messages wait meanwhile.
 *
 * - *The worker dies after it has asked*: the next owner asks again, and finds the file uploaded or under way.
 * - *WhatsApp no longer takes the token*: the row says so (`needs_token`), and the next look brings another.
 * - *Nobody tells that it is there*: the messages that wait are looked at again every 30 seconds.
 */
export class MessageFiles {
  readonly #dependencies: MessageFilesDependencies;
  readonly #photos: MessagePhotos;
  /** The files that were asked for: made with the first, as most connections send none. */
  #asked: LRUCache<string, Asked> | undefined;

  constructor(dependencies: MessageFilesDependencies) {
    this.#dependencies = dependencies;
    this.#photos = new MessagePhotos(dependencies);
  }

  /**
   * Looks at the file of a message, and has it brought to WhatsApp where it is not there. Throws when a store or the queue does not answer.
   * @param mayAsk whether WhatsApp may be asked now where files are uploaded
   */
  async look(
    message: SentMessage,
    socket: Pick<SendingSocket, 'mediaHosts'>,
    mayAsk: boolean = true,
  ): Promise<FileLook> {
    const sent = sentFileOf(message.content);
    if (sent === undefined) return this.#photos.look(message);
    const { known, clock, findToSend, uploads, owned } = this.#dependencies;
    const mediaId = parseId('med', sent.named.id ?? '');
    if (mediaId === undefined) return { file: 'failed', code: 'file_gone' };
    const plain = isChannel(message.to);
    const place = [owned.tenantId, mediaId, sent.as, sent.convert, plain].join(' ');
    const here = known.get(place);
    if (here !== undefined && isFresh(here, clock.nowMs())) return { file: 'ready', sent: here };
    const file = await findToSend(owned.tenantId, mediaId);
    if (file === undefined || file.state === 'gone') return { file: 'failed', code: 'file_gone' };
    if (file.state !== 'ready' && file.state !== 'pending') {
      // The job is over with the file. A link may be fetched anew, and needs another one then.
      this.#asked?.delete(place);
      return { file: 'failed', code: 'file_not_fetched' };
    }
    const upload = file.state === 'ready' ? await uploads.find(uploadNameOf(file, { ...sent, plain })) : undefined;
    if (upload?.state === 'uploaded' && isFresh(upload.file, clock.nowMs())) {
      const found = { ...upload.file, filename: file.filename };
      known.set(place, found);
      return { file: 'ready', sent: found };
    }
    if (upload?.state === 'failed' && failureStands(upload, sinceMsOf(message))) {
      return { file: 'failed', code: `file_${upload.fault}` };
    }
    if (!mayAsk || this.#isUnderWay(place, file, upload)) return { file: 'waits' };
    return this.#ask(message, { mediaId, sent, plain, place, round: upload?.round ?? 0 }, () =>
      socket.mediaHosts(upload?.state === 'needs_token'),
    );
  }

  /** Whether a file was asked for, and nothing shows that it has to be again. */
  #isUnderWay(place: string, { state }: FileToSend, upload: Upload | undefined): boolean {
    const asked = this.#asked?.get(place);
    if (asked === undefined || asked.round < (upload?.round ?? 0)) return false;
    // What has failed for earlier messages, or lies at WhatsApp for too long, shows nothing of a job until that has begun.
    // A link that is being fetched anew may have ended that of its first fetch.
    const isOver = upload?.state === 'failed' || upload?.state === 'uploaded' || state === 'pending';
    return this.#dependencies.clock.monotonicMs() - asked.atMs < (isOver ? FAILURE_STANDS_MS : ASK_AGAIN_MS);
  }

  async #ask(
    { correlationId }: SentMessage,
    { mediaId, sent, plain, place, round }: Asking,
    findHosts: () => Promise<MediaHosts>,
  ): Promise<FileLook> {
    const { clock, assertOpen, owned } = this.#dependencies;
    let hosts: MediaHosts;
    try {
      hosts = await findHosts();
    } catch (error) {
      if (!(error instanceof LookUpError)) throw error;
      return { file: 'not_looked_up', outcome: toOutcome(error) as LookUpOutcome };
    }
    assertOpen();
    const { tenantId, connectionId, shard } = owned;
    await askForUpload(this.#dependencies, {
      version: 1,
      kind: 'send',
      tenantId,
      connectionId,
      shard,
      correlationId,
      mediaId,
      as: sent.as,
      convert: sent.convert,
      ...(plain ? { plain } : {}),
      round,
      hosts: [...hosts.hosts],
      token: hosts.token,
    });
    this.#asked ??= new LRUCache({ max: MOST_ASKED });
    this.#asked.set(place, { round, atMs: clock.monotonicMs() });
    return { file: 'waits' };
  }
}

/** Since when a message might have left, in milliseconds since 1970: what has failed before may have passed. */
function sinceMsOf({ createdAtMs, notBeforeMs = 0 }: SentMessage): number {
  return Math.max(createdAtMs, notBeforeMs);
}
