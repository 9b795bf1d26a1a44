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
    /** The version of WhatsApp's client with which it presents itself. */
    readonly version: string;
    readonly onInput: (input: SocketInput) => void;
    readonly scope: Scope;
  }) => ConnectionSocket | Promise<ConnectionSocket>;
}

/**
 * Sockets of one connection on its session. The session is read once in an ownership; the epoch of its credentials is
 * raised before each socket, so that an older owner's writes are refused from then on.
 */
export function makeSessionSockets(
  owned: OwnedConnection,
  dependencies: SessionSocketsDependencies & {
    readonly opens: Pick<OpenMeter, 'follow'>;
    readonly versions: VersionChoice;
  },
): SocketSource {
  const { versions } = dependencies;
  const isVersionRefused = (): boolean => versions.isRefused(owned.connectionId);
  let opened: Promise<Session> | undefined;
  let abandoned = false;
  const session = async (): Promise<Session> => {
    if (abandoned) throw new OwnershipLostError('the connection');
    opened ??= dependencies.openSession(owned).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };

  return {
    abandon: () => {
      abandoned = true;
      void opened?.then((found) => found.abandon()).catch(() => undefined);
    },
    open: ({ generation, pairing, onInput, scope }) =>
      unlessLost(async () => {
        const found = await session();
        if (pairing === undefined && !found.isPaired) return 'unlinked';
        await found.raiseEpoch();
        const count = dependencies.opens.follow();
        const version = versions.of(owned.connectionId);
        // A pairing may have finished although its owner did not live to record it: then this is a login.
        return dependencies.openSocket({
          owned,
          session: found,
          generation,
          version,
          scope,
          pairing: found.isPaired ? undefined : pairing,
          onInput: (input) => {
            count(input);
            noteAnswer(versions, version, input);
            const isHeld = isRefusal(input) && isVersionRefused();
            onInput(isHeld ? { ...input, close: { ...input.close, node: 'version_refused' } } : input);
          },
        });
      }),
    logOut: (late, scope) =>
      unlessLost(async () => {
        const found = await session();
        if (!found.isPaired || isVersionRefused()) return 'skipped';
        await found.raiseEpoch();
        const count = dependencies.opens.follow();
        const version = versions.of(owned.connectionId);
        const opened = Promise.withResolvers<boolean>();
        late.addEventListener('abort', () => opened.resolve(false), { once: true });
        const socket = await dependencies.openSocket({
          owned,
          session: found,
          generation: LOG_OUT_GENERATION,
          version,
          scope,
          pairing: undefined,
          onInput: (input) => {
            count(input);
            noteAnswer(versions, version, input);
            if (input.type === 'socket_opened') opened.resolve(true);
            if (input.type === 'socket_closed') opened.resolve(false);
          },
        });
        const isOpen = !late.aborted && (await opened.promise);
        await socket.close(isOpen ? 'logout' : 'end');
        return isOpen ? 'done' : 'refused';
      }),
    isVersionRefused,
    isLinked: async () => (await session()).isPaired,
    retire: () =>
      unlessLost(async () => {
        await (await session()).retireCredentials();
        return 'retired' as const;
      }),
  };
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
