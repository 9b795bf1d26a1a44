import type { AccountLimit } from '../../../shared/connection/brakes.ts';
import type { ConnectionSettings, FilterName } from '../../../shared/connection/settings.ts';
import type { NumberLookUp } from '../../../shared/contact/numberLookUps.ts';
import type { HistoryNotice, OwnAddresses } from '../../../shared/history/historyNotice.ts';
import type { MessageId, StanzaId } from '../../../shared/kernel/id.ts';
import type { Scope } from '../../../shared/kernel/scope.ts';
import type { KeptPicture, ShownPicture } from '../../../shared/media/keepPicture.ts';
import type { Message } from '../../../shared/message/message.ts';
import type { ReceivedMessages } from '../../../shared/message/receivedMessages.ts';
import type { ConnectionConfig } from '../../../shared/platform/connectionConfig.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { FactPublisher } from '../../facts/factPublisher.ts';
import type { CommitGate } from '../../fleet/gate.ts';
import type { Session } from '../../session/session.ts';
import type { OwnedConnection } from '../../fleet/ownedConnection.ts';
import type { PairingRequest, SocketInput } from './connectionSocket.ts';
import type { FileAnswer, WaitingFile } from './fileRequest.ts';
import type { SentOnce } from './sentOnce.ts';

/** The options with which a socket is opened. */
export interface OpenSocketOptions extends Surroundings {
  readonly connection: OwnedConnection;
  readonly generation: number;
  /** The pairing to open for; undefined for a login with the session's credentials. */
  readonly pairing: PairingRequest | undefined;
  readonly session: Session;
  readonly gate: CommitGate;
  readonly publisher: FactPublisher;
  readonly config: ConnectionConfig;
  /**
   * Returns the tenant's present settings. They are read at each use, so that a change needs no new socket; all
   * defaults when left out.
   */
  readonly settings?: (() => ConnectionSettings) | undefined;
  readonly whatsappUrl: string;
  /** The version of WhatsApp's client with which the socket presents itself: three numbers with dots. */
  readonly version: string;
  readonly emit: (input: SocketInput) => void;
  /** Called when WhatsApp has let the socket in; what is left before it is open is ours to do. */
  readonly onLoggedIn?: (() => void) | undefined;
  /** Called when WhatsApp says what the account may not do at present, or may again. */
  readonly onLimit?: ((told: AccountLimit) => void) | undefined;
  /**
   * The scope of timers, listeners and the raw socket. It is closed when the socket has, and closing it ends the socket
   * at once.
   */
  readonly scope: Scope;
  /**
   * Finds the recipient and time of a sent message by stanza id, for recipients who ask again, also days and restarts
   * later.
   */
  readonly lookUpSent: (stanzaId: StanzaId) => Promise<SentOnce | undefined>;
  /** The messages that others wrote on this connection, as they are marked as read. */
  readonly received: Pick<ReceivedMessages, 'listUpTo'> & {
    readonly noteMarked: (messageId: MessageId) => Promise<void>;
  };
  /** The messages that are kept of this connection, whoever wrote them. */
  readonly kept: {
    readonly find: (messageId: MessageId) => Promise<Message | undefined>;
    /** The newest message of a chat, by any of its addresses, that WhatsApp has. */
    readonly newestIn: (names: readonly string[]) => Promise<Message | undefined>;
    /** The oldest message of a chat that a history brought, by any of its addresses. */
    readonly oldestIn: (names: readonly string[]) => Promise<Message | undefined>;
  };
  /** What WhatsApp has answered about phone numbers that were checked, by their digits. */
  readonly lookUps: {
    readonly find: (numbers: readonly string[]) => Promise<ReadonlyMap<string, NumberLookUp>>;
    readonly keep: (answers: ReadonlyMap<string, NumberLookUp>) => Promise<void>;
  };
  /** Has a picture fetched that WhatsApp shows, and waits a moment for it. Returns the file as it is then. */
  readonly keepPicture: (picture: ShownPicture) => Promise<KeptPicture>;
  /** Records what the phone tells of the history of its account. Resolves when that is durable: only then may its receipt leave. */
  readonly recordHistory: (notice: HistoryNotice, own: OwnAddresses) => Promise<void>;
  /** The files that the phone was asked for. */
  readonly askedFiles: {
    /** Finds those of the message with this stanza id that still wait. */
    readonly find: (stanzaId: string) => Promise<readonly WaitingFile[]>;
    /** Takes what the phone answered about one. */
    readonly answered: (file: WaitingFile, answer: FileAnswer) => Promise<void>;
  };
  /** Adds to the numbers of messages that filters have dropped, which are shown on the connection. */
  readonly countFiltered: (counts: ReadonlyMap<FilterName, number>) => Promise<unknown>;
}
