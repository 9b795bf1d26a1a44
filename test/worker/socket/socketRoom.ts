import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { AccountLimit } from '../../../shared/connection/brakes.ts';
import type { ConnectionSettings, FilterName } from '../../../shared/connection/settings.ts';
import type { NumberLookUp } from '../../../shared/contact/numberLookUps.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { VETTED_VERSION } from '../../../shared/fleet/whatsAppVersion.ts';
import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import type { ShownPicture } from '../../../shared/media/keepPicture.ts';
import type { Message, ReceivedMessage } from '../../../shared/message/message.ts';
import type { HistoryNotice } from '../../../shared/history/historyNotice.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import {
  deriveMessageId,
  makeId,
  makeStanzaId,
  type ConnectionId,
  type MessageId,
  type StanzaId,
} from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Scope } from '../../../shared/kernel/scope.ts';
import type { OutboundContent } from '../../../shared/content/content.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { makeLocalKeyProvider, type KeyProvider } from '../../../shared/platform/keyProvider.ts';
import { makeLogger } from '../../../shared/platform/logger.ts';
import type { CommitGate } from '../../../worker/fleet/gate.ts';
import { openSession, type Session } from '../../../worker/session/session.ts';
import type { OwnedConnection } from '../../../worker/fleet/ownedConnection.ts';
import type { ConnectionSocket, PairingRequest, SocketInput } from '../../../worker/socket/port/connectionSocket.ts';
import { openSocket } from '../../../worker/socket/openSocket.ts';
import type { FileAnswer, WaitingFile } from '../../../worker/socket/port/fileRequest.ts';
import type { OpenSocketOptions } from '../../../worker/socket/port/socketOptions.ts';
import type { SentOnce } from '../../../worker/socket/port/sentOnce.ts';
import { prepareProcess } from '../../../worker/socket/repairs/prepareProcess.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { assertQuiet } from '../../quiet/findSecrets.ts';
import { someContent, wordsOf } from '../../shared/content/someContent.ts';
import { WhatsAppClient } from '../../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../../whatsapp/simulator.ts';
import { until } from '../../whatsapp/until.ts';
import { makeSwitchGate } from '../fleet/gates.ts';

export const ANN = '4915100000001';
export const BOB = '4915100000002';
/** Texts up to this length may stand in a log for other reasons. */
const MENTIONED_BY_CHANCE = 8;
export const BOB_JID = `${BOB}@s.whatsapp.net`;

/** A write of one item of the session. */
export interface StoreWrite {
  /** Sort key, such as `CREDENTIALS` or `C0001#SIGNAL#…`. */
  readonly sk: string;
}

/** The real socket room and session store, on the emulator and the simulator; facts are kept instead of published. */
export class SocketRoom {
  readonly whatsApp: WhatsAppSimulator;
  readonly client: WhatsAppClient;
  readonly facts: Fact[] = [];
  /** Open, unless a test closes it. A new one is what a new worker has. */
  gate = makeSwitchGate();
  readonly inputs: SocketInput[] = [];
  /** Hears what the sockets say. */
  onInput: (input: SocketInput) => void = () => undefined;
  readonly metrics = keepingMetrics();
  /** The messages that were published, as a store would have them; and those that were noted as marked. */
  readonly marked: string[] = [];
  readonly received: OpenSocketOptions['received'] = {
    listUpTo: async (messageId, most) => {
      const all = this.facts.filter((fact) => fact.kind === 'message' && !fact.fromMe) as MessageFact[];
      const place = all.findIndex((fact) => idOf(fact) === messageId);
      const named = all[place];
      if (named === undefined) return 'missing';
      const inChat = all.slice(0, place + 1).filter(({ chat }) => chat === named.chat);
      return inChat.toReversed().slice(0, most) as unknown as readonly ReceivedMessage[];
    },
    noteMarked: async (messageId) => void this.marked.push(messageId),
  };
  /** All messages, as a store would have them; sent ones are those that a test puts here. */
  readonly keptMessages = new Map<string, Message>();
  readonly kept: OpenSocketOptions['kept'] = {
    find: async (messageId) => this.keptMessages.get(messageId) ?? this.#receivedAs((fact) => idOf(fact) === messageId),
    newestIn: async (names) => this.#receivedAs(({ chat }) => names.includes(chat)),
    oldestIn: async () => this.oldest,
  };
  /** The oldest message of every chat that a history brought. */
  oldest: Message | undefined;
  /** The notices of histories that were recorded; `onHistory` runs before one is. */
  readonly histories: HistoryNotice[] = [];
  onHistory: () => Promise<void> = async () => undefined;
  /** What WhatsApp has answered about phone numbers. */
  readonly lookUps = new Map<string, NumberLookUp>();
  /** The pictures that were to be fetched. */
  readonly keptPictures: ShownPicture[] = [];
  /** The files that the phone was asked for, and what it answered. */
  waitingFiles: readonly WaitingFile[] = [];
  onFileAnswer: () => Promise<void> = async () => undefined;
  readonly fileAnswers: { readonly file: WaitingFile; readonly answer: FileAnswer }[] = [];
  /** The numbers of dropped messages, as they were added. */
  readonly filtered: ReadonlyMap<FilterName, number>[] = [];
  readonly sent = new Map<string, SentOnce & { readonly content: OutboundContent }>();
  readonly connection: OwnedConnection;
  /** Sees each command of the session store with its answer. */
  onStore: (command: unknown, answer: unknown) => void = () => undefined;
  /** Decides the fate of the next publishes; they succeed when it says nothing. */
  publish: (facts: readonly Fact[]) => Promise<void> = async () => undefined;
  /** Runs before, and after, each write to the store; what it throws becomes of the write. */
  beforeWrite: (write: StoreWrite) => Promise<void> = async () => undefined;
  afterWrite: (write: StoreWrite) => void = () => undefined;
  readonly #dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  readonly #keyFile: string;
  /** Number of the phone that is linked. */
  readonly number: string;
  readonly #log: string[] = [];
  readonly #logger = makeLogger('worker', 'debug', { write: (line) => void this.#log.push(line) });
  /** What WhatsApp said of the limits of the account. */
  readonly limits: AccountLimit[] = [];
  /** Whether messages to new people may leave; asked for each. */
  firstContact: () => Promise<'go' | 'wait'> = async () => 'go';
  /** What the tenant decided, as it is now. */
  settings: ConnectionSettings = {};
  /** How far the monotonic clock of the next sockets is ahead, in milliseconds. */
  aheadMs = 0;
  /** Where the next sockets connect to; WhatsApp, if nothing is said. */
  url: string | undefined;
  #generation = 0;
  socket: ConnectionSocket | undefined;
  /** The scope is that of the socket that was opened last. */
  scope = new Scope('socket');

  private constructor(whatsApp: WhatsAppSimulator, dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>, number = ANN) {
    this.whatsApp = whatsApp;
    this.number = number;
    this.client = new WhatsAppClient(whatsApp.controlUrl);
    this.#dynamoDb = dynamoDb;
    this.connection = {
      tenantId: makeId('tnt', Date.now(), systemRandom),
      connectionId: makeId('con', Date.now(), systemRandom),
      shard: 0,
      token: 1,
    };
    this.#keyFile = join(mkdtempSync(join(tmpdir(), 'room-')), 'key');
    writeFileSync(this.#keyFile, randomBytes(32), { mode: 0o600 });
  }

  static async start(): Promise<SocketRoom> {
    const [whatsApp, dynamoDb] = await Promise.all([startWhatsApp(), startDynamoDb()]);
    await createTables(dynamoDb.endpoint, 'test');
    prepareProcess({ rootKey: Buffer.from(whatsApp.rootKey, 'hex') });
    const room = new SocketRoom(whatsApp, dynamoDb);
    await room.client.addPhone(ANN, 'Ann');
    await room.client.addPhone(BOB, 'Bob');
    return room;
  }

  /** Another account in the same process, on the same WhatsApp and the same store. It is closed by its own socket. */
  async addAccount(number: string, name: string): Promise<SocketRoom> {
    await this.client.addPhone(number, name);
    return new SocketRoom(this.whatsApp, this.#dynamoDb, number);
  }

  /** Throws when the log of the room holds what no log may hold. */
  async stop(): Promise<void> {
    await this.socket?.close('end');
    await this.whatsApp.stop();
    await this.#dynamoDb.stop();
    const written = [...this.texts(), ...[...this.sent.values()].map(({ content }) => wordsOf(content))];
    const longEnough = written.filter((text) => text.length > MENTIONED_BY_CHANCE);
    assertQuiet(this.#log.join(''), longEnough);
  }

  /** Fields of the lines of the log that say this. */
  logged(message: string): readonly Readonly<Record<string, unknown>>[] {
    const lines = this.#log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    return lines.filter((line) => line['message'] === message);
  }

  /** The store itself, seen by nobody. */
  store() {
    return makeDocumentClient(aStoreConfig({ dynamoDb: this.#dynamoDb }));
  }

  get keyProvider(): KeyProvider {
    return makeLocalKeyProvider(this.#keyFile);
  }

  /** A session as a new owner opens it: nothing is remembered. */
  session(token = this.connection.token, gate: CommitGate = this.gate): Promise<Session> {
    const table = this.store();
    const send = table.send.bind(table) as (command: unknown, options: unknown) => Promise<unknown>;
    table.send = (async (command: unknown, options: unknown) => {
      const written = writtenBy(command);
      for (const sk of written) await this.beforeWrite({ sk });
      const answer = await send(command, options);
      this.onStore(command, answer);
      for (const sk of written) this.afterWrite({ sk });
      return answer;
    }) as typeof table.send;
    return openSession(
      { ...this.connection, token },
      {
        table,
        stage: 'test',
        gate,
        clock: systemClock,
        random: systemRandom,
        metrics: this.metrics,
        storeTimeoutMs: 5_000,
        keyProvider: this.keyProvider,
      },
    );
  }

  /** Opens a socket of a new generation on a session. */
  open(session: Session, pairing?: PairingRequest): ConnectionSocket {
    this.#generation += 1;
    this.socket = openSocket({
      connection: this.connection,
      generation: this.#generation,
      pairing,
      session,
      scope: (this.scope = new Scope('socket')),
      gate: this.gate,
      publisher: {
        publish: async (_connection, facts) => {
          await this.publish(facts);
          this.facts.push(...facts);
        },
      },
      config: {
        reconnectBaseDelayMs: 100,
        reconnectMaxDelayMs: 1_000,
        reconnectMaxAttempts: 10,
        stableAfterMs: 60_000,
        openWithinMs: 10_000,
        connectTimeoutMs: 3_000,
        pairingQueryTimeoutMs: 5_000,
        onlineQueryTimeoutMs: 3_000,
        keepAliveMs: 5_000,
        serverAckTimeoutMs: 2_000,
        commandWaitSeconds: 1,
        commandVisibilitySeconds: 30,
        paceBudgets: 'off',
        messagesPerMinute: 60,
        messagesPerChatPerMinute: 30,
      },
      whatsappUrl: this.url ?? this.whatsApp.webSocketUrl,
      settings: () => this.settings,
      version: VETTED_VERSION,
      clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + this.aheadMs },
      random: systemRandom,
      logger: this.#logger,
      metrics: this.metrics,
      emit: (input) => {
        this.inputs.push(input);
        this.onInput(input);
      },
      received: this.received,
      kept: this.kept,
      onLimit: (told) => void this.limits.push(told),
      askedFiles: {
        find: async (stanzaId) => this.waitingFiles.filter((file) => file.stanzaId === stanzaId),
        answered: async (file, answer) => {
          this.fileAnswers.push({ file, answer });
          await this.onFileAnswer();
        },
      },
      lookUps: {
        find: async (numbers) => new Map([...this.lookUps].filter(([digits]) => numbers.includes(digits))),
        keep: async (answers) => answers.forEach((answer, digits) => this.lookUps.set(digits, answer)),
      },
      countFiltered: async (counts) => void this.filtered.push(counts),
      keepPicture: async (picture) => {
        this.keptPictures.push(picture);
        return { id: 'med_1', state: 'ready' };
      },
      recordHistory: async (notice) => {
        await this.onHistory();
        this.histories.push(notice);
      },
      lookUpSent: async (stanzaId) => this.sent.get(stanzaId),
    });
    return this.socket;
  }

  /** Waits for an input of the present socket. */
  async input<Type extends SocketInput['type']>(type: Type): Promise<Extract<SocketInput, { type: Type }>> {
    const generation = this.#generation;
    const isWanted = (input: SocketInput): input is Extract<SocketInput, { type: Type }> =>
      input.type === type && input.generation === generation;
    const found = await until(
      type,
      () => this.inputs.find(isWanted),
      (input) => input !== undefined,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** Pairs by QR and comes online, as a runner does it. */
  async pairByQr(): Promise<void> {
    this.open(await this.session(), { method: 'qr' });
    const { offer } = await this.input('pairing_offered');
    await this.client.scan(this.number, offer.method === 'qr' ? offer.qr : '');
    await this.input('socket_closed');
    await this.login();
  }

  /** Logs in on a session that remembers nothing. */
  async login(): Promise<void> {
    const session = await this.session();
    await session.raiseEpoch();
    this.open(session);
    await this.input('caught_up');
  }

  /** Sends a text, to Bob if nobody is named; under an id that was used before, as a further try. Gives the id with the outcome. */
  async send(text: string, stanzaId: StanzaId = makeStanzaId(systemRandom), to = BOB_JID) {
    const content = someContent(text);
    const triedBefore = this.sent.has(stanzaId);
    this.sent.set(stanzaId, { content, to, atMs: Date.now() });
    const outcome = await this.socket?.send({
      stanzaId,
      to,
      content,
      triedBefore,
      firstContact: () => this.firstContact(),
    });
    return { stanzaId, outcome };
  }

  #receivedAs(isWanted: (fact: MessageFact) => boolean): Message | undefined {
    const messages = this.facts.filter((fact): fact is MessageFact => fact.kind === 'message');
    const fact = messages.findLast(isWanted);
    if (fact === undefined) return undefined;
    return { ...fact, direction: fact.fromMe ? 'echo' : 'in', createdAtMs: fact.atMs } as unknown as Message;
  }

  /** Texts of the message facts, in the order in which they were published. */
  texts(): readonly string[] {
    return this.facts.flatMap((fact) =>
      fact.kind === 'message' && fact.content.type === 'text' ? [fact.content.text.body] : [],
    );
  }
}

/** An id for a published message, of which nobody has made a row. */
export function idOf({ key }: Pick<MessageFact, 'key'>): MessageId {
  return deriveMessageId('con_1' as ConnectionId, {
    chat: '',
    sender: '',
    stanzaId: key,
    timestampMs: 1_790_000_000_000,
  });
}

/** The sort keys of the items that a command writes, alone or in one transaction. */
function writtenBy(command: unknown): readonly string[] {
  if (command instanceof PutCommand) return [String(command.input.Item?.['sk'])];
  if (!(command instanceof TransactWriteCommand)) return [];
  return (command.input.TransactItems ?? []).map(({ Put }) => String(Put?.Item?.['sk']));
}
