import type { AccountLimit } from '../../shared/connection/brakes.ts';
import type { ConnectionSettings } from '../../shared/connection/settings.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { VersionChoice } from '../fleet/clientVersions.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { ConnectionSocket, PairingRequest, SocketInput } from '../socket/port/connectionSocket.ts';
import type { Session } from '../session/session.ts';
import { OwnershipLostError } from '../session/sessionErrors.ts';
import type { SocketSource } from './runnerDependencies.ts';
import type { OpenMeter } from './openMeter.ts';

export interface SessionSocketsDependencies {
  readonly openSession: (owned: OwnedConnection) => Promise<Session>;
  /** Opens a socket on a session whose epoch is raised. */
  readonly openSocket: (request: {
    readonly owned: OwnedConnection;
    readonly session: Session;
    readonly generation: number;
    readonly pairing: PairingRequest | undefined;
    readonly settings?: (() => ConnectionSettings) | undefined;
    readonly onLimit?: ((told: AccountLimit) => void) | undefined;
    /** The version of WhatsApp's client with which it presents itself. */
    readonly version: string;
    readonly onInput: (input: SocketInput) => void;
    readonly onLoggedIn: () => void;
    readonly scope: Scope;
  }) => ConnectionSocket | Promise<ConnectionSocket>;
}

interface SocketsDependencies extends SessionSocketsDependencies {
  readonly opens: Pick<OpenMeter, 'follow'>;
  readonly versions: VersionChoice;
}

/**
 * Sockets of one connection on its session. The session is read once in an ownership; the epoch of its credentials is
 * raised before each socket, so that an older owner's writes are refused from then on.
 */
export function makeSessionSockets(owned: OwnedConnection, dependencies: SocketsDependencies): SocketSource {
  return new SessionSockets(owned, dependencies);
}

class SessionSockets implements SocketSource {
  readonly #owned: OwnedConnection;
  readonly #dependencies: SocketsDependencies;
  #opened: Promise<Session> | undefined;
  #isAbandoned = false;

  constructor(owned: OwnedConnection, dependencies: SocketsDependencies) {
    this.#owned = owned;
    this.#dependencies = dependencies;
  }

  readonly abandon = (): void => {
    this.#isAbandoned = true;
    void this.#opened?.then((found) => found.abandon()).catch(() => undefined);
  };

  readonly isVersionRefused = (): boolean => this.#dependencies.versions.isRefused(this.#owned.connectionId);

  readonly isLinked = async (): Promise<boolean> => (await this.#session()).isPaired;

  readonly warm = (): void => {
    // The call that uses it hears of a failure.
    this.#session().catch(() => undefined);
  };

  readonly prepare = async (): Promise<void> => {
    await unlessLost(async () => (await this.#session()).raiseEpochAhead());
  };

  readonly open: SocketSource['open'] = ({ generation, pairing, onInput, onLoggedIn, scope }) =>
    unlessLost(async () => {
      const session = await this.#session();
      if (pairing === undefined && !session.isPaired) return 'unlinked';
      return this.#openOn(session, {
        generation,
        scope,
        onLoggedIn,
        // A pairing may have finished although its owner did not live to record it: then this is a login.
        pairing: session.isPaired ? undefined : pairing,
        onInput: (input) => {
          const isHeld = isRefusal(input) && this.isVersionRefused();
          onInput(isHeld ? { ...input, close: { ...input.close, node: 'version_refused' } } : input);
        },
      });
    });

  readonly logOut: SocketSource['logOut'] = (late, scope) =>
    unlessLost(async () => {
      const session = await this.#session();
      if (!session.isPaired || this.isVersionRefused()) return 'skipped';
      const opened = Promise.withResolvers<boolean>();
      late.addEventListener('abort', () => opened.resolve(false), { once: true });
      const socket = await this.#openOn(session, {
        generation: LOG_OUT_GENERATION,
        scope,
        pairing: undefined,
        onLoggedIn: () => undefined,
        onInput: (input) => {
          if (input.type === 'socket_opened') opened.resolve(true);
          if (input.type === 'socket_closed') opened.resolve(false);
        },
      });
      const isOpen = !late.aborted && (await opened.promise);
      await socket.close(isOpen ? 'logout' : 'end');
      return isOpen ? 'done' : 'refused';
    });

  readonly retire: SocketSource['retire'] = () =>
    unlessLost(async () => {
      await (await this.#session()).retireCredentials();
      return 'retired' as const;
    });

  readonly remove: SocketSource['remove'] = () =>
    unlessLost(async () => {
      await (await this.#session()).remove();
      return 'removed' as const;
    });

  #session(): Promise<Session> {
    if (this.#isAbandoned) return Promise.reject(new OwnershipLostError('the connection'));
    this.#opened ??= this.#dependencies.openSession(this.#owned).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /** Raises the epoch and opens a socket under it. What the socket says is counted, and noted for its version. */
  async #openOn(session: Session, request: Parameters<SocketSource['open']>[0]): Promise<ConnectionSocket> {
    const { opens, versions, openSocket } = this.#dependencies;
    await session.raiseEpoch();
    const count = opens.follow();
    const version = versions.of(this.#owned.connectionId);
    return openSocket({
      ...request,
      owned: this.#owned,
      session,
      version,
      onInput: (input) => {
        count(input);
        noteAnswer(versions, version, input);
        request.onInput(input);
      },
    });
  }
}

const OUTDATED = 405;
/** A generation that no runner listens to, as theirs begin at 1. */
const LOG_OUT_GENERATION = 0;

type Closed = Extract<SocketInput, { readonly type: 'socket_closed' }>;

function isRefusal(input: SocketInput): input is Closed {
  return input.type === 'socket_closed' && input.close.statusCode === OUTDATED && input.close.node !== 'websocket';
}

/** Notes WhatsApp's answer to a version. An offer to pair counts as much as a login: WhatsApp talks to this version. */
function noteAnswer(versions: VersionChoice, version: string, input: SocketInput): void {
  if (isRefusal(input)) versions.note(version, 'refused');
  else if (input.type === 'socket_opened' || input.type === 'pairing_offered') versions.note(version, 'accepted');
}

/** Returns `lost` for the refusal of a newer owner; every other error is thrown on. */
async function unlessLost<Result>(call: () => Promise<Result>): Promise<Result | 'lost'> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof OwnershipLostError) return 'lost';
    throw error;
  }
}
