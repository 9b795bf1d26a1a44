import type { EventEmitter } from 'node:events';
import type { Logger } from '../../shared/platform/logger.ts';

/** What Node says of bytes whose seal (AES-GCM) does not fit; the error has no code. */
const NOT_AUTHENTIC = 'Unsupported state or unable to authenticate data';

/** The number by which Baileys reports a line that was lost. */
const LINE_LOST = 428;

/** The seal of a frame does not fit: the line is no longer the one that WhatsApp seals for, and nothing behind it can be opened. */
export class UnsealedFrameError extends Error {
  override readonly name = 'UnsealedFrameError';
  /** The shape in which Baileys reports these. */
  readonly output = { statusCode: LINE_LOST } as const;

  constructor(cause: unknown) {
    super('the seal of a frame does not fit', { cause });
  }
}

/**
 * Catches what Baileys cannot read of WhatsApp's frames. Baileys reads them in a promise that nobody waits for: one that
 * fails would end the process, with all its connections, and the stanza would come again at each login, on each worker.
 *
 * A frame whose seal does not fit ends the socket. Any other is passed over: the frames behind it are opened under numbers of
 * their own. A stanza that is passed over is not acknowledged, so that nothing is lost which a newer version could read.
 *
 * @param frames Baileys' own WebSocket client, whose listeners are promises; those of the raw socket below it are not
 * @param unsealed called when the line cannot be read any more
 */
export function catchUnread(
  frames: Pick<EventEmitter, 'listeners' | 'removeAllListeners' | 'on'>,
  logger: Pick<Logger, 'warn'>,
  unsealed: (cause: UnsealedFrameError) => void,
): void {
  const listeners = frames.listeners('message') as ((...frame: unknown[]) => unknown)[];
  const read = async (frame: readonly unknown[]): Promise<void> => {
    try {
      await Promise.all(listeners.map((listener) => listener.apply(frames, [...frame])));
    } catch (error) {
      if (error instanceof Error && error.message === NOT_AUTHENTIC) unsealed(new UnsealedFrameError(error));
      else logger.warn('a frame of WhatsApp could not be read', { error });
    }
  };
  frames.removeAllListeners('message');
  frames.on('message', (...frame: unknown[]) => void read(frame));
}
