import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ActionStore } from '../../shared/action/actionStore.ts';
import type { OpenActions } from '../../shared/action/openActions.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { ConnectionSettings } from '../../shared/connection/settings.ts';
import { putTransition } from '../../shared/connection/statusHistory.ts';
import { deletePairingOffer, putPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { connectionDeletedKey } from '../../shared/event/facts/connectionDeletedFact.ts';
import { findStanding, isEnding } from '../../shared/identity/standing.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { AskedFiles } from '../../shared/media/askedFiles.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { ConnectionConfig } from '../../shared/platform/connectionConfig.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { ConnectionActions, type ActionsDependencies } from '../actions/connectionActions.ts';
import { ConnectionFiles } from '../files/connectionFiles.ts';
import { ConnectionOutbox } from '../sending/connectionOutbox.ts';
import { PAIRING_REQUEST_LIMIT_MS } from '../../shared/connection/connection.ts';
import { recordPace } from '../../shared/connection/paceStore.ts';
import { Governor } from '../sending/governor.ts';
import { MessageFiles, type MessageFilesDependencies } from '../sending/messageFiles.ts';
import { showSendsPause } from '../sending/showSendsPause.ts';
import type { FactPublisher } from '../facts/factPublisher.ts';
import type { VersionChoice } from '../fleet/clientVersions.ts';
import type { ConnectionSocket } from '../socket/port/connectionSocket.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import { ConnectionRecorder } from './connectionRecorder.ts';
import { ConnectionRunner } from './connectionRunner.ts';
import type { ConnectionParts } from './heldConnection.ts';
import type { Policy } from './machineTypes.ts';
import type { OpenMeter } from './openMeter.ts';
import { makeSessionSockets, type SessionSocketsDependencies } from './sessionSockets.ts';

export interface PartsDependencies extends Surroundings {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly connections: ConnectionStore;
  readonly messages: MessageStore;
  /** With what the files that messages and pictures are made of are found, prepared, and brought to WhatsApp. */
  readonly files: Omit<MessageFilesDependencies, 'owned' | 'clock' | 'assertOpen'> &
    Pick<ActionsDependencies, 'pictures'>;
  readonly actions: ActionStore;
  readonly openActions: OpenActions;
  readonly media: MediaStore;
  readonly askedFiles: AskedFiles;
  readonly publisher: FactPublisher;
  readonly config: ConnectionConfig;
  readonly assertOpen: () => void;
  readonly sockets: SessionSocketsDependencies;
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  readonly onBroken: (error: unknown) => void;
  readonly opens: OpenMeter;
  readonly versions: VersionChoice;
  /** Whether the store shows a newer owner of the connection's shard. */
  readonly readOwnership: (owned: OwnedConnection) => Promise<'owned' | 'lost'>;
}

/** How long `connecting` and `reconnecting` must last before tenants are told of them, in milliseconds. */
const SETTLE_MS = 5_000;
/**
 * The time between two opens of one connection (docs/lifecycle.md, "Reconnect") with the default base delay of 5 s,
 * with which it scales.
 */
const OPEN_SPACING_MS = 30_000;
const REFERENCE_BASE_DELAY_MS = 5_000;
/** The time that a send needs beyond its wait for the server's ack, in milliseconds: for the row and the event. */
const SEND_REST_MS = 10_000;

/** Makes the parts of each owned connection. */
export function makeConnectionParts(dependencies: PartsDependencies): ConnectionParts {
  const { table, stage, sockets, logger, config } = dependencies;
  const offers = {
    put: (owned: OwnedConnection, offer: Parameters<typeof putPairingOffer>[2]) =>
      putPairingOffer({ table, stage }, owned, offer),
    remove: (owned: OwnedConnection) => deletePairingOffer({ table, stage }, owned),
  };
  const history = { put: putTransition.bind(undefined, { table, stage }) };
  return {
    makeOutbox: (owned, socket, settings) => makeOutbox(dependencies, { owned, socket, settings }),
    makeActions: (owned, socket) =>
      new ConnectionActions({ ...dependencies, ...dependencies.files, owned, logger: loggerOf(logger, owned), socket }),
    makeFiles: (owned, socket) =>
      new ConnectionFiles({ ...dependencies, owned, logger: loggerOf(logger, owned), socket }),
    tellDeleted: (owned) => tellDeleted(dependencies, owned),
    isForGood: (owned) => isTenantEnding(dependencies, owned),
    makeSocketSource: (owned, settings, onLimit) =>
      makeSessionSockets(owned, {
        opens: dependencies.opens,
        versions: dependencies.versions,
        openSession: sockets.openSession,
        openSocket: (request) => sockets.openSocket({ ...request, settings, onLimit }),
      }),
    makeRunner: (request) => {
      const own = { ...dependencies, owned: request.owned, logger: loggerOf(logger, request.owned) };
      const recorder = new ConnectionRecorder({
        ...own,
        offers,
        history,
        settleMs: Math.min(SETTLE_MS, config.reconnectBaseDelayMs),
        shown: request.shown,
        nextFactNumber: request.nextFactNumber,
        onLost: () => runner.deliver({ type: 'ownership_lost' }),
      });
      const { openedAtMs, sockets: source, scope, sending, onStopped } = request;
      const runner: ConnectionRunner = new ConnectionRunner({
        ...own,
        policy: () => policyOf(config, request.settings()),
        readOwnership: () => dependencies.readOwnership(request.owned),
        openedAtMs,
        sockets: source,
        scope,
        recorder,
        sending,
        onStopped,
      });
      return runner;
    },
  };
}

async function isTenantEnding(
  { table, stage }: Pick<PartsDependencies, 'table' | 'stage'>,
  { tenantId }: OwnedConnection,
): Promise<boolean> {
  const standing = await findStanding({ table, stage }, tenantId);
  return standing === undefined || isEnding(standing);
}

/** One that dies here is followed by one that tells it again, under the same key: it is one event. */
async function tellDeleted(
  { publisher, assertOpen, clock, random }: PartsDependencies,
  owned: OwnedConnection,
): Promise<void> {
  assertOpen();
  const atMs = clock.nowMs();
  const key = connectionDeletedKey(owned.connectionId);
  await publisher.publish(owned, [{ kind: 'connection_deleted', key, atMs }], makeId('cor', atMs, random));
}

interface OutboxRequest {
  readonly owned: OwnedConnection;
  readonly socket: () => ConnectionSocket | undefined;
  readonly settings: () => ConnectionSettings;
}

function makeOutbox(dependencies: PartsDependencies, { owned, socket, settings }: OutboxRequest): ConnectionOutbox {
  const own = { ...dependencies, owned, logger: loggerOf(dependencies.logger, owned) };
  const governor = new Governor({ ...own, settings, record: (pace) => recordPace(own, owned, pace) });
  const { files: parts } = dependencies;
  const files = new MessageFiles({ ...own, ...parts });
  return new ConnectionOutbox({ ...own, files, socket, governor, showPause: showSendsPause(own) });
}

function loggerOf(logger: Logger, { tenantId, connectionId, shard, token }: OwnedConnection): Logger {
  return logger.child({ tenantId, connectionId, shard, epoch: token });
}

/** The rules of the machine, from the configuration of the process and the tenant's settings of this connection. */
export function policyOf(config: ConnectionConfig, { reconnect }: ConnectionSettings): Policy {
  const spacingMs = (OPEN_SPACING_MS * config.reconnectBaseDelayMs) / REFERENCE_BASE_DELAY_MS;
  return {
    baseDelayMs: reconnect?.baseDelayMs ?? config.reconnectBaseDelayMs,
    maxDelayMs: reconnect?.maxDelayMs ?? config.reconnectMaxDelayMs,
    maxAttempts: reconnect?.maxAttempts ?? config.reconnectMaxAttempts,
    openSpacingMs: Math.min(config.reconnectMaxDelayMs, spacingMs),
    stableAfterMs: config.stableAfterMs,
    openWithinMs: config.openWithinMs,
    pairWithinMs: PAIRING_REQUEST_LIMIT_MS,
    drainWithinMs: config.serverAckTimeoutMs + SEND_REST_MS,
  };
}
