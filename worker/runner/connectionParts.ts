import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { deletePairingOffer, putPairingOffer } from '../../shared/connection/pairingOffer.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { ConnectionConfig } from '../../shared/platform/config.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { ConnectionOutbox } from '../commands/connectionOutbox.ts';
import { PAIRING_REQUEST_LIMIT_MS } from '../commands/controlCommand.ts';
import type { EventPublisher } from '../events/eventPublisher.ts';
import type { OwnedConnection } from '../socket/connectionSocket.ts';
import { ConnectionRecorder } from './connectionRecorder.ts';
import { ConnectionRunner } from './connectionRunner.ts';
import type { ConnectionParts } from './heldConnection.ts';
import type { Policy } from './machineTypes.ts';
import type { OpenMeter } from './openMeter.ts';
import { makeSessionSockets, type SessionSocketsDependencies } from './sessionSockets.ts';

export interface PartsDependencies {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly connections: ConnectionStore;
  readonly messages: MessageStore;
  readonly publisher: EventPublisher;
  readonly settings: ConnectionConfig;
  readonly assertOpen: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly sockets: SessionSocketsDependencies;
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  readonly onBroken: (error: unknown) => void;
  readonly opens: OpenMeter;
}

/** `connecting` and `reconnecting` must last this long before tenants hear of them. */
const SETTLE_MS = 5_000;
/** What a send needs beyond its wait for the server's ack: the row and the event. */
const SEND_REST_MS = 10_000;

/** What each owned connection is made of. */
export function makeConnectionParts(dependencies: PartsDependencies): ConnectionParts {
  const { table, stage, sockets, logger, settings } = dependencies;
  const offers = {
    put: (owned: OwnedConnection, offer: Parameters<typeof putPairingOffer>[2]) =>
      putPairingOffer({ table, stage }, owned, offer),
    remove: (owned: OwnedConnection) => deletePairingOffer({ table, stage }, owned),
  };
  const policy = policyOf(settings);
  const loggerOf = ({ tenantId, connectionId, shard, token }: OwnedConnection): Logger =>
    logger.child({ tenantId, connectionId, shard, epoch: token });

  return {
    makeOutbox: (owned, socket) => new ConnectionOutbox({ ...dependencies, owned, socket, logger: loggerOf(owned) }),
    makeSocketSource: (owned) => makeSessionSockets(owned, { ...sockets, opens: dependencies.opens }),
    makeRunner: ({ owned, sockets: source, sending, shown, nextFactNumber, onStopped }) => {
      const own = { ...dependencies, owned, logger: loggerOf(owned) };
      const recorder = new ConnectionRecorder({
        ...own,
        offers,
        settleMs: Math.min(SETTLE_MS, settings.reconnectBaseDelayMs),
        shown,
        nextFactNumber,
        onLost: () => runner.deliver({ type: 'ownership_lost' }),
      });
      const runner: ConnectionRunner = new ConnectionRunner({
        ...own,
        policy,
        sockets: source,
        recorder,
        sending,
        onStopped,
      });
      return runner;
    },
  };
}

/** The machine's settings from those of the process. */
export function policyOf(settings: ConnectionConfig): Policy {
  return {
    baseDelayMs: settings.reconnectBaseDelayMs,
    maxDelayMs: settings.reconnectMaxDelayMs,
    maxAttempts: settings.reconnectMaxAttempts,
    stableAfterMs: settings.stableAfterMs,
    openWithinMs: settings.openWithinMs,
    pairWithinMs: PAIRING_REQUEST_LIMIT_MS,
    drainWithinMs: settings.serverAckTimeoutMs + SEND_REST_MS,
  };
}
