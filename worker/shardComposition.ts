import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ActionStore } from '../shared/action/actionStore.ts';
import { UnpairedPlaces } from '../shared/connection/unpairedPlaces.ts';
import { OpenActions } from '../shared/action/openActions.ts';
import { ConnectionStore } from '../shared/connection/connectionStore.ts';
import { NumberLookUps } from '../shared/contact/numberLookUps.ts';
import { NoticeStore } from '../shared/history/noticeStore.ts';
import type { ConnectionSettings } from '../shared/connection/settings.ts';
import { countFiltered } from '../shared/connection/filteredMessages.ts';
import type { StanzaId, WorkerId } from '../shared/kernel/id.ts';
import { isStatus } from '../shared/kernel/jid.ts';
import { AskedFiles } from '../shared/media/askedFiles.ts';
import { findToSend } from '../shared/media/filesToSend.ts';
import { MediaStore } from '../shared/media/mediaStore.ts';
import { BroughtFileStore } from '../shared/media/broughtFileStore.ts';
import { keepPicture, toKeptPicture } from '../shared/media/keepPicture.ts';
import { TenantFiles } from '../shared/media/keptBytes.ts';
import { PictureStore } from '../shared/media/pictureStore.ts';
import { UploadStore } from '../shared/media/uploadStore.ts';
import { MessageStore } from '../shared/message/messageStore.ts';
import { newestMessageIn } from '../shared/message/newestMessage.ts';
import { PastMessages } from '../shared/message/pastMessages.ts';
import { ReceivedMessages, type ReceivedMessagesDependencies } from '../shared/message/receivedMessages.ts';
import type { WorkerConfig } from '../shared/platform/config.ts';
import type { Scope } from '../shared/kernel/scope.ts';
import type { Logger } from '../shared/platform/logger.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import { EventQueueChoice } from './facts/eventQueueChoice.ts';
import type { FactPublisher } from './facts/factPublisher.ts';
import { makeSqsFactPublisher } from './facts/sqsFactPublisher.ts';
import type { VersionChoice } from './fleet/clientVersions.ts';
import { FleetStore } from './fleet/fleetStore.ts';
import type { CommitGate } from './fleet/gate.ts';
import { makeConnectionParts, type PartsDependencies } from './runner/connectionParts.ts';
import type { OpenMeter } from './runner/openMeter.ts';
import { OwnedShards } from './commands/ownedShards.ts';
import type { SessionSocketsDependencies } from './runner/sessionSockets.ts';
import { makeShardWork } from './commands/shardWork.ts';
import { findWaitingFiles, takeFileAnswer, type FileAnswerDependencies } from './files/takeFileAnswer.ts';
import { recordHistory } from './files/recordHistory.ts';
import { makeKnownFiles } from './sending/messageFiles.ts';
import { openSession } from './session/session.ts';
import type { OwnedConnection } from './fleet/ownedConnection.ts';
import type { OpenSocketOptions } from './socket/port/socketOptions.ts';
import type { SentOnce } from './socket/port/sentOnce.ts';
import type { WorkerWorld } from './world.ts';

export interface WorkOptions extends Pick<Surroundings, 'logger' | 'metrics'> {
  readonly config: WorkerConfig;
  readonly workerId: WorkerId;
  readonly gate: CommitGate;
  /** The scope of everything that is held for shards. */
  readonly scope: Scope;
  /** Waits for a turn to open a socket; resolves to a function that returns the handshake slot. */
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  /** Called when something cannot be undone from here: the process must end. */
  readonly onBroken: (error: unknown) => void;
  readonly opens: OpenMeter;
  readonly versions: VersionChoice;
  readonly world: WorkerWorld;
}

/** Makes all that a worker uses for the shards that it owns. */
export function makeOwnedShards(options: WorkOptions): OwnedShards {
  const { config, logger, gate, scope, takeTurn, onBroken, opens, versions, metrics, world } = options;
  const { stage, queueUrlBase, connections: connectionConfig } = config;
  const { clock, random, polling } = world;
  const { table, acting } = world.connect(gate);
  const connections = new ConnectionStore({ table, stage });
  const messages = new MessageStore({ table, stage, past: new PastMessages({ table, stage }) });
  const openActions = new OpenActions({ table, stage });
  const files = { media: new MediaStore({ table, stage, clock }), askedFiles: new AskedFiles({ table, stage, clock }) };
  const stores = { table, messages, actions: new ActionStore({ table, stage }), openActions, ...files };
  const common = { clock, random, logger, stage, queueUrlBase, acting, connections };
  const fleet = new FleetStore(world.fleetTable, stage);
  let facts = 0;
  const publisher = makePublisher(options, table, acting);
  const sockets = makeSockets({ ...options, table, acting, messages, files, publisher });
  const parts = makeConnectionParts({
    ...common,
    ...stores,
    metrics,
    publisher,
    config: connectionConfig,
    assertOpen: gate.assertOpen,
    sockets,
    takeTurn,
    onBroken,
    opens,
    versions,
    files: makeFiles(options, table, acting),
    // Only a change of ownership raises the epoch.
    readOwnership: async ({ shard, token }) =>
      (await fleet.readShards([shard])).shards.some(({ epoch }) => epoch > token) ? 'lost' : 'owned',
  });
  const shardParts = {
    ...common,
    messages,
    openActions,
    unpairedPlaces: new UnpairedPlaces({ table, stage }),
    scope,
    polling,
    parts,
    assertOpen: gate.assertOpen,
    isOpen: gate.isOpen,
    nextFactNumber: () => (facts += 1),
    waitSeconds: connectionConfig.commandWaitSeconds,
    visibilitySeconds: connectionConfig.commandVisibilitySeconds,
  };
  return new OwnedShards((shard, epoch) => makeShardWork(shardParts, shard, epoch), logger);
}

/** Finds the files that messages are made of, and has them brought to WhatsApp. */
function makeFiles(
  { config: { stage, queueUrlBase }, world: { clock } }: WorkOptions,
  table: DynamoDBDocumentClient,
  queue: SQSClient,
): PartsDependencies['files'] {
  const media = new MediaStore({ table, stage, clock });
  return {
    pictures: new PictureStore({ table, stage, clock }),
    findToSend: (tenantId, mediaId) => findToSend(media, tenantId, mediaId),
    uploads: new UploadStore({ table, stage, clock }),
    known: makeKnownFiles(),
    queue,
    stage,
    queueUrlBase,
  };
}

/** Makes the publisher that all connections of this worker share. */
function makePublisher(
  { config, logger, workerId, gate, metrics, world }: WorkOptions,
  table: DynamoDBDocumentClient,
  queue: SQSClient,
): FactPublisher {
  const { stage, queueUrlBase } = config;
  let batches = 0;
  const common = { clock: world.clock, logger, stage };
  return makeSqsFactPublisher({
    ...common,
    queue,
    queueUrlBase,
    gate,
    metrics,
    makeBatchId: () => `${workerId}-${(batches += 1)}`,
    eventQueues: new EventQueueChoice({ ...common, table, eventQueues: config.eventQueues }),
  });
}

interface SocketParts extends Pick<WorkOptions, 'config' | 'logger' | 'gate' | 'metrics' | 'world'> {
  readonly table: DynamoDBDocumentClient;
  readonly acting: SQSClient;
  readonly messages: MessageStore;
  readonly files: Pick<FileAnswerDependencies, 'media' | 'askedFiles'>;
  readonly publisher: FactPublisher;
}

/** The parts with which sessions are read and sockets are opened. */
function makeSockets(parts: SocketParts): SessionSocketsDependencies {
  const { config, logger, gate, table, messages, publisher, metrics, world } = parts;
  const { stage, storeTimeoutMs, whatsappUrl } = config;
  const fileAnswers = { ...parts.files, queue: parts.acting, stage, queueUrlBase: config.queueUrlBase };
  const { clock, random, keyProvider } = world;
  const common = { gate, clock, random };
  const pictures = {
    brought: new BroughtFileStore({ table, stage, clock }),
    tenantFiles: new TenantFiles({ table, stage, clock }),
    queue: parts.acting,
    stage,
    queueUrlBase: config.queueUrlBase,
    clock,
  };
  const histories = makeHistories(parts);
  return {
    openSession: (owned) => openSession(owned, { ...common, table, stage, keyProvider, storeTimeoutMs, metrics }),
    openSocket: ({ owned, session, generation, pairing, settings, onLimit, version, onInput, onLoggedIn, scope }) =>
      world.openSocket({
        ...common,
        connection: owned,
        session,
        generation,
        pairing,
        settings,
        onLimit,
        version,
        scope,
        publisher,
        config: config.connections,
        whatsappUrl,
        logger: loggerOf(logger, owned).child({ generation }),
        metrics,
        emit: onInput,
        onLoggedIn,
        askedFiles: {
          find: (stanzaId) => findWaitingFiles(fileAnswers, owned, stanzaId),
          answered: (file, answer) => takeFileAnswer(fileAnswers, owned, file, answer),
        },
        keepPicture: async (picture) => toKeptPicture(await keepPicture(pictures, owned.tenantId, picture)),
        received: receivedBy({ table, stage }, owned, clock),
        kept: keptBy({ table, stage }, messages, owned, clock),
        lookUps: lookUpsOf({ table, stage, clock }, owned),
        recordHistory: (notice, own) => histories.record(owned, settings?.() ?? {}, { notice, own }),
        countFiltered: (counts) => countFiltered({ table, stage }, owned, counts, clock.nowMs()),
        lookUpSent: async (stanzaId) => findSentOnce(messages, owned, stanzaId),
      }),
  };
}

/** Records what phones tell of histories. */
function makeHistories({ config, logger, gate, table, acting, world: { clock, random } }: SocketParts) {
  const { stage, queueUrlBase } = config;
  const notices = new NoticeStore({ table, stage });
  const common = { notices, queue: acting, stage, queueUrlBase, clock, random, assertOpen: gate.assertOpen };
  return {
    record: (owned: OwnedConnection, ...rest: [ConnectionSettings, Parameters<typeof recordHistory>[3]]) =>
      recordHistory({ ...common, logger: loggerOf(logger, owned) }, owned, ...rest),
  };
}

function keptBy(
  store: ReceivedMessagesDependencies,
  messages: MessageStore,
  { connectionId }: OwnedConnection,
  clock: Pick<Surroundings['clock'], 'nowMs'>,
): OpenSocketOptions['kept'] {
  const past = new PastMessages(store);
  return {
    find: (messageId) => messages.find(connectionId, messageId),
    newestIn: (names) => newestMessageIn(store, connectionId, names),
    oldestIn: (names) => past.oldestOf({ connectionId }, names, clock.nowMs()),
  };
}

function receivedBy(
  store: ReceivedMessagesDependencies,
  { connectionId }: OwnedConnection,
  clock: Pick<Surroundings['clock'], 'nowMs'>,
): OpenSocketOptions['received'] {
  const messages = new ReceivedMessages(store, connectionId);
  return {
    listUpTo: (messageId, most) => messages.listUpTo(messageId, most),
    noteMarked: (messageId) => messages.noteMarked(messageId, clock.nowMs()),
  };
}

function lookUpsOf(
  store: ConstructorParameters<typeof NumberLookUps>[0],
  { connectionId }: OwnedConnection,
): OpenSocketOptions['lookUps'] {
  const lookUps = new NumberLookUps(store);
  return {
    find: (numbers) => lookUps.find(connectionId, numbers),
    keep: (answers) => lookUps.keep(connectionId, answers),
  };
}

/** A message in the form that can be repeated; undefined for one that we did not send. */
async function findSentOnce(
  messages: MessageStore,
  { connectionId }: OwnedConnection,
  stanzaId: StanzaId,
): Promise<SentOnce | undefined> {
  const message = await messages.findByStanza(connectionId, stanzaId);
  if (message === undefined) return undefined;
  const sent = { ...message, atMs: message.sentAtMs ?? message.createdAtMs };
  if (!isStatus(message.to)) return sent;
  const audience = await messages.audiences.find(connectionId, message.messageId);
  const names = audience?.viewers.flatMap(({ lid, phoneJid }) => [lid, phoneJid]).filter((name) => name !== undefined);
  return { ...sent, viewers: new Set(names) };
}

function loggerOf(logger: Logger, { tenantId, connectionId, shard, token }: OwnedConnection): Logger {
  return logger.child({ tenantId, connectionId, shard, epoch: token });
}
