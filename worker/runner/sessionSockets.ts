import type { Presence } from '../../shared/connection/settings.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { ConnectionSocket, OwnedConnection, PairingRequest, SocketInput } from '../socket/connectionSocket.ts';
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
    readonly presence?: Presence | undefined;
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
  dependencies: SessionSocketsDependencies & { readonly opens: Pick<OpenMeter, 'follow'> },
): SocketSource {
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
        // A pairing may have finished without its owner living to record it: then this is a login.
        return dependencies.openSocket({
          owned,
          session: found,
          generation,
          scope,
          pairing: found.isPaired ? undefined : pairing,
          onInput: (input) => {
            count(input);
            onInput(input);
          },
        });
      }),
    isLinked: async () => (await session()).isPaired,
    retire: () =>
      unlessLost(async () => {
        await (await session()).retireCredentials();
        return 'retired' as const;
      }),
  };
}

/** `lost` for the refusal of a newer owner; everything else is thrown on. */
async function unlessLost<Result>(call: () => Promise<Result>): Promise<Result | 'lost'> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof OwnershipLostError) return 'lost';
    throw error;
  }
}
