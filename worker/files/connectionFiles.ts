import type { MediaId } from '../../shared/kernel/id.ts';
import type { AskedFiles } from '../../shared/media/askedFiles.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { FileAskingSocket } from '../socket/port/connectionSocket.ts';

export interface ConnectionFilesDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly owned: OwnedConnection;
  readonly media: Pick<MediaStore, 'find'>;
  readonly messages: Pick<MessageStore, 'find'>;
  readonly askedFiles: Pick<AskedFiles, 'note'>;
  /** Throws when this worker may not act at the moment. Called before each outside effect. */
  readonly assertOpen: () => void;
  /** The socket on which the phone may be asked now, if there is one. */
  readonly socket: () => FileAskingSocket | undefined;
}

/** The pause between two requests of one connection, in milliseconds, so that messages have the line: a phone that comes back may have many to give. */
const PAUSE_MS = 200;
/** The number of files that wait for the connection to be online. What is beyond that is asked for when the row is looked at again. */
const MOST_WAITING = 500;

/**
 * The files of one owned connection that its phone is asked for. A command names a file; its row says whether it still waits. While the connection is
 * not online a file waits here, and nothing is lost with it: whoever sent the command looks at the row again, and sends it once more.
 */
export class ConnectionFiles {
  readonly #dependencies: ConnectionFilesDependencies;
  readonly #waiting = new Set<MediaId>();
  readonly #finishing = new AbortController();
  #asking: Promise<void> = Promise.resolve();
  #isAsking = false;

  constructor(dependencies: ConnectionFilesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Asks the phone for a file, or has it wait. Rejects when a store does not answer: the command then goes back. */
  async handle(mediaId: MediaId): Promise<'done' | 'later'> {
    if (this.#finishing.signal.aborted) return 'later';
    if ((await this.#ask(mediaId)) === 'offline' && this.#waiting.size < MOST_WAITING) this.#waiting.add(mediaId);
    return 'done';
  }

  /** Asks on a new socket that may be used. Never throws, never waits. */
  allow(): void {
    if (this.#isAsking || this.#waiting.size === 0 || this.#finishing.signal.aborted) return;
    this.#isAsking = true;
    this.#asking = this.#askAll().finally(() => {
      this.#isAsking = false;
    });
  }

  /** Begins nothing more, and resolves when nothing is being asked. */
  async finish(): Promise<void> {
    this.#finishing.abort();
    await this.#asking;
  }

  /** Asks for all that waits, until the socket is gone. Never rejects. */
  async #askAll(): Promise<void> {
    for (const mediaId of this.#waiting) {
      if (this.#finishing.signal.aborted) return;
      try {
        if ((await this.#ask(mediaId)) === 'offline') return;
      } catch (error) {
        this.#dependencies.logger.warn('the phone could not be asked for a file', { mediaId, error });
      }
      this.#waiting.delete(mediaId);
    }
  }

  async #ask(mediaId: MediaId): Promise<'asked' | 'needless' | 'offline'> {
    const { owned, media: store, messages, askedFiles, assertOpen, clock, logger, socket } = this.#dependencies;
    if (socket() === undefined) return 'offline';
    assertOpen();
    const media = await store.find(mediaId);
    const key = media?.file.key;
    if (media?.state !== 'pending' || media.connectionId !== owned.connectionId || key === undefined) return 'needless';
    const message = await messages.find(owned.connectionId, media.messageId);
    if (message === undefined || message.direction === 'out') return 'needless';
    const { chat, sender, stanzaId, direction } = message;
    assertOpen();
    // The note comes first: an answer without one is nobody's.
    await askedFiles.note(owned.connectionId, stanzaId, media);
    assertOpen();
    const request = { chat, sender, stanzaId, fromMe: direction === 'echo', key };
    const outcome = await socket()?.askForFile(request);
    if (outcome !== 'asked') return 'offline';
    logger.info('the phone is asked for a file', { mediaId, messageId: media.messageId });
    await clock.sleep(PAUSE_MS, this.#finishing.signal);
    return 'asked';
  }
}
