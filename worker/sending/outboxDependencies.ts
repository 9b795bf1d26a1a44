import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { PauseCode } from '../../shared/connection/sendsPause.ts';
import type { ParkReason } from '../../shared/message/messageWait.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { SendingSocket } from '../socket/port/connectionSocket.ts';
import type { MessageFiles } from './messageFiles.ts';
import type { SendDependencies, TriedCommand } from './sendCommand.ts';

/** The pause that is shown while messages wait although the connection is online. */
export interface ShownPause {
  readonly durationMs: number;
  readonly code: PauseCode;
}

export interface OutboxDependencies extends Pick<Surroundings, 'random'>, SendDependencies {
  /** Finds the files that messages are made of. */
  readonly files: Pick<MessageFiles, 'look'>;
  readonly connections: Pick<ConnectionStore, 'find'>;
  /** The socket on which messages may be sent now, if there is one. */
  readonly socket: () => SendingSocket | undefined;
  /** Shows that messages wait for a while because of an answer of WhatsApp, or of none; or that all go on. */
  readonly showPause?: (pause: ShownPause | undefined) => void;
}

/** A command that comes from the queue. */
export type NewCommand = TriedCommand & { readonly source: { readonly enqueuedAtMs: number } };

/** Where and why a message is parked. */
export interface ParkedPlace {
  readonly sequenceNumber: string;
  /** The chat of the message; undefined when nothing can be sent at all, as it is not known then. */
  readonly chat: string | undefined;
  readonly reason: ParkReason;
}
