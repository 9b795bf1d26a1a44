import { MessageStore } from '../../../shared/message/messageStore.ts';
import type { Action } from '../../../shared/action/action.ts';
import { ActionStore } from '../../../shared/action/actionStore.ts';
import type { AskedAction } from '../../../shared/action/actionKinds.ts';
import { OpenActions } from '../../../shared/action/openActions.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import type { Evidence } from '../../../shared/connection/liveness.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId, type ConnectionId, type CorrelationId, type MessageId } from '../../../shared/kernel/id.ts';
import { makeSentIds } from '../../../shared/kernel/sentIds.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import type { NewMessage } from '../../../shared/message/newMessages.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { silentMetrics } from '../../../shared/platform/metrics.ts';
import { ConnectionActions, type ActionsDependencies } from '../../../worker/actions/connectionActions.ts';
import { recordPace } from '../../../shared/connection/paceStore.ts';
import type { ConnectionSettings } from '../../../shared/connection/settings.ts';
import { ConnectionOutbox } from '../../../worker/sending/connectionOutbox.ts';
import type { OutboxDependencies } from '../../../worker/sending/outboxDependencies.ts';
import { Governor } from '../../../worker/sending/governor.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import type { FactPublisher } from '../../../worker/facts/factPublisher.ts';
import type { ActionOutcome } from '../../../worker/socket/port/actionOutcome.ts';
import type {
  AskedBeside,
  ConnectionSocket,
  LookUp,
  MediaHosts,
  SendOutcome,
  SendRequest,
} from '../../../worker/socket/port/connectionSocket.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { someContent, wordsOf } from '../../shared/content/someContent.ts';
import { recordResultsIn } from '../recordResults.ts';
import { wellEvidence } from '../socket/wellEvidence.ts';

export const anAccount = { phoneJid: '4915112345678@s.whatsapp.net', lid: undefined, name: undefined } as const;
export const acknowledged: SendOutcome = { outcome: 'acknowledged', atMs: 1_700_000_000_000 };

/** A socket that keeps what it was asked to send and answers as it is told, `acknowledged` by default. */
export class FakeSocket implements ConnectionSocket {
  readonly generation = 1;
  readonly sent: SendRequest[] = [];
  readonly answers: (SendOutcome | Promise<SendOutcome>)[] = [];
  inFlight = 0;
  mostInFlight = 0;

  readonly send = async (request: SendRequest): Promise<SendOutcome> => {
    if (this.strangers.has(request.to) && (await request.firstContact?.()) === 'wait') {
      return { outcome: 'first_contact_waits' };
    }
    this.sent.push(request);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    const answer = await (this.answers.shift() ?? acknowledged);
    this.inFlight -= 1;
    if (answer.outcome === 'acknowledged') this.strangers.delete(request.to);
    return answer;
  };

  readonly mediaHosts = async (): Promise<MediaHosts> => ({ hosts: ['mmg.whatsapp.net'], token: 'token' });

  /** What the next messages to an address need to be asked first; nothing, by default. */
  readonly needs = new Map<string, readonly LookUp[]>();
  readonly lookUpsFor = async (to: string): Promise<ReadonlySet<LookUp>> => new Set(this.needs.get(to) ?? []);
  /** Addresses that are known to be another's. */
  readonly names = new Map<string, string>();
  readonly chatOf = async (to: string): Promise<string> => this.names.get(to) ?? to;

  /** Addresses of people with whom the account never talked. */
  readonly strangers = new Set<string>();
  readonly isFirstContact = async (to: string): Promise<boolean> => this.strangers.has(to);

  /** What WhatsApp was asked for, and what it answers: that nothing has left, by default. */
  readonly asked: AskedAction[] = [];
  readonly actionOutcomes: (ActionOutcome | Error | Promise<ActionOutcome>)[] = [];
  readonly askForFile = async () => 'not_asked' as const;

  /** What was given beside each request. */
  readonly askedBeside: AskedBeside[] = [];
  readonly ask = async (action: AskedAction, _account: string, beside: AskedBeside = {}): Promise<ActionOutcome> => {
    this.asked.push(action);
    this.askedBeside.push(beside);
    const outcome = await (this.actionOutcomes.shift() ?? { outcome: 'not_asked' });
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };

  readonly close = async (): Promise<void> => undefined;
  readonly evidence = (): Evidence => wellEvidence;
  readonly probe = (): void => undefined;
  readonly answerPasskey = (): void => undefined;

  texts(): readonly string[] {
    return this.sent.map(({ content }) => wordsOf(content));
  }
}

/** A publisher that keeps the facts; with `isDown` it takes none. */
export class FakePublisher implements FactPublisher {
  readonly facts: Fact[] = [];
  isDown = false;
  readonly #ingest: FactPublisher['publish'];

  /** @param ingest takes what was published; nobody, by default */
  constructor(ingest: FactPublisher['publish'] = () => Promise.resolve()) {
    this.#ingest = ingest;
  }

  readonly publish: FactPublisher['publish'] = async (connection, facts, correlationId): Promise<void> => {
    if (this.isDown) throw new Error('the events queue is down');
    this.facts.push(...facts);
    await this.#ingest(connection, facts, correlationId);
  };

  results(): readonly string[] {
    return this.facts.flatMap((fact) =>
      fact.kind === 'send_result' ? [fact.error === undefined ? fact.state : `${fact.state}/${fact.error.code}`] : [],
    );
  }
}

/** The Core table in an emulator, with makers of what the tests need. */
export async function startCore() {
  const dynamoDb = await startDynamoDb();
  await createTables(dynamoDb.endpoint, 'test');
  const table = makeDocumentClient(aStoreConfig({ dynamoDb }));
  const dependencies = { table, stage: 'test' };
  const messages = new MessageStore(dependencies);
  const connections = new ConnectionStore(dependencies);
  const actions = new ActionStore(dependencies);
  const openActions = new OpenActions(dependencies);

  const aConnection = async (overrides: Partial<Connection> = {}): Promise<Connection> => {
    const connection: Connection = {
      tenantId: makeId('tnt', Date.now(), systemRandom),
      connectionId: makeId('con', Date.now(), systemRandom),
      label: undefined,
      shard: 0,
      wanted: 'online',
      pairing: undefined,
      account: anAccount,
      status: 'online',
      statusCode: 'open',
      statusSinceMs: 0,
      createdAtMs: Date.now(),
      parkedCount: 0,
      ...overrides,
    };
    await connections.create(connection, 1_000);
    return connection;
  };

  const aMessage = async (
    connection: Connection,
    text: string,
    { audience, ...overrides }: Partial<NewMessage> = {},
  ): Promise<SentMessage> => {
    const message: SentMessage = {
      tenantId: connection.tenantId,
      connectionId: connection.connectionId,
      ...makeSentIds(connection.connectionId, overrides.createdAtMs ?? Date.now(), systemRandom),
      createdAtMs: Date.now(),
      direction: 'out',
      to: '4915187654321@s.whatsapp.net',
      content: someContent(text),
      state: 'queued',
      error: undefined,
      correlationId: 'cor-test-1' as CorrelationId,
      attempts: 0,
      sentAtMs: undefined,
      deliveredAtMs: undefined,
      readAtMs: undefined,
      ...overrides,
    };
    await messages.create({ ...message, audience }, 0);
    return message;
  };

  const anAction = async (connection: Connection, overrides: Partial<Action> = {}): Promise<Action> => {
    const { tenantId, connectionId } = connection;
    const createdAtMs = overrides.createdAtMs ?? Date.now();
    return actions.create({
      tenantId,
      connectionId,
      actionId: makeId('act', createdAtMs, systemRandom),
      kind: 'chat_typing',
      account: '4915112345678@s.whatsapp.net',
      request: { chat: '+4915187654321', state: 'composing' },
      state: 'accepted',
      correlationId: 'cor-test-1' as CorrelationId,
      createdAtMs,
      expiresAtMs: createdAtMs + 60_000,
      attempts: 0,
      ...overrides,
    });
  };

  const stateOf = async (connectionId: ConnectionId, messageId: MessageId): Promise<string | undefined> => {
    const message = await messages.find(connectionId, messageId);
    if (message?.direction !== 'out') return undefined;
    return message.error === undefined ? message.state : `${message.state}/${message.error.code}`;
  };

  const recordResults = (batch: FactBatch): Promise<void> => recordResultsIn(dependencies, batch);
  const ingest: FactPublisher['publish'] = (owned, facts, correlationId) =>
    recordResults({
      ...owned,
      version: 1,
      correlationId: correlationId ?? makeId('cor', Date.now(), systemRandom),
      batchId: makeId('cor', Date.now(), systemRandom),
      events: [...facts],
    });

  return {
    endpoint: dynamoDb.endpoint,
    table,
    recordResults,
    ingest,
    messages,
    actions,
    openActions,
    connections,
    aConnection,
    aMessage,
    anAction,
    stateOf,
    stop: dynamoDb.stop,
  };
}

export type Core = Awaited<ReturnType<typeof startCore>>;

/** An outbox over the emulated table, a fake publisher and a fake socket that may be absent. */
export function anOutbox(
  core: Core,
  connection: Pick<Connection, 'tenantId' | 'connectionId' | 'shard'>,
  options: {
    readonly token?: number;
    readonly socket?: () => ConnectionSocket | undefined;
    readonly overrides?: Partial<OutboxDependencies>;
    /** The tenant's settings of the pace; no budgets, by default. */
    readonly pace?: ConnectionSettings['pace'];
    /** What the fleet says where the settings say nothing. */
    readonly config?: { readonly paceBudgets: 'kept' | 'off' };
    /** Makes each write of the pace; as it is, by default. */
    readonly recording?: (write: () => ReturnType<typeof recordPace>) => ReturnType<typeof recordPace>;
  } = {},
) {
  const { tenantId, connectionId, shard } = connection;
  const { recording = (write) => write() } = options;
  const publisher = new FakePublisher(core.ingest);
  const socket = new FakeSocket();
  const owned = { tenantId, connectionId, shard, token: options.token ?? 1 };
  const dependencies = {
    owned,
    messages: core.messages,
    connections: core.connections,
    publisher,
    assertOpen: () => undefined,
    clock: systemClock,
    random: { ...systemRandom, unit: () => 0 },
    logger: silentLogger,
    metrics: silentMetrics,
    files: { look: async () => ({ file: 'none' }) as const },
    socket: options.socket ?? (() => socket),
    ...options.overrides,
  };
  const settings: ConnectionSettings = { pace: options.pace ?? { budgets: 'off' } };
  const governor = new Governor({
    ...dependencies,
    settings: () => settings,
    config: { paceBudgets: 'kept', messagesPerMinute: 60, messagesPerChatPerMinute: 30, ...options.config },
    record: (pace) => recording(() => recordPace({ table: core.table, stage: 'test' }, owned, pace)),
  });
  const outbox = new ConnectionOutbox({ governor, ...dependencies });
  return { outbox, publisher, socket };
}

/** The actions of a connection over the emulated table, a fake publisher and a fake socket that may be absent. */
export function someActions(
  core: Core,
  connection: Pick<Connection, 'tenantId' | 'connectionId' | 'shard'>,
  options: { readonly token?: number; readonly overrides?: Partial<ActionsDependencies> } = {},
) {
  const { tenantId, connectionId, shard } = connection;
  const publisher = new FakePublisher();
  const socket = new FakeSocket();
  const metrics = keepingMetrics();
  const desk = new ConnectionActions({
    owned: { tenantId, connectionId, shard, token: options.token ?? 1 },
    actions: core.actions,
    openActions: core.openActions,
    publisher,
    assertOpen: () => undefined,
    clock: systemClock,
    random: { ...systemRandom, unit: () => 0 },
    logger: silentLogger,
    metrics,
    socket: () => socket,
    queue: {} as never,
    stage: 'test',
    queueUrlBase: '',
    findToSend: async () => undefined,
    pictures: new PictureStore({ table: core.table, stage: 'test', clock: systemClock }),
    ...options.overrides,
  });
  return { desk, publisher, socket, metrics };
}

/** A sequence number as SQS gives: 20 digits that grow. */
export const sequence = (place: number): string => `188${String(place).padStart(17, '0')}`;
