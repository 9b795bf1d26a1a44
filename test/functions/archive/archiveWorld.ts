import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { BatchWriteCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { makeArchiveHandler } from '../../../functions/archive/handler.ts';
import { ArchiveJobs } from '../../../shared/archive/archiveJobs.ts';
import type { ExportAsked, ExportJob } from '../../../shared/archive/archiveJob.ts';
import { exportObjectKey, ExportFiles, MANIFEST } from '../../../shared/archive/exportFiles.ts';
import { manifestSchema, type Manifest } from '../../../shared/archive/manifest.ts';
import { newErasure, newExport } from '../../../shared/archive/newExport.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import { ContactStore } from '../../../shared/contact/contactStore.ts';
import { LiveCopies } from '../../../shared/history/liveCopies.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import {
  deriveMessageId,
  makeId,
  makeStanzaId,
  type ConnectionId,
  type CorrelationId,
  type TenantId,
} from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { newChat } from '../../../shared/chat/planChat.ts';
import { Erasures } from '../../../shared/media/erasures.ts';
import { MediaStore } from '../../../shared/media/mediaStore.ts';
import type { ObjectStore } from '../../../shared/media/objectStore.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { toSentItem } from '../../../shared/message/messageItem.ts';
import { versionItem } from '../../../shared/message/messageVersions.ts';
import { receivedMessageItem } from '../../../shared/message/messageWrites.ts';
import { chatKey } from '../../../shared/platform/chatKeys.ts';
import { contactKey, contactNumberKey } from '../../../shared/platform/contactKeys.ts';
import { expiryOf } from '../../../shared/platform/expiry.ts';
import { receiptsKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { someContent } from '../../shared/content/someContent.ts';
import { aSentMessage } from '../../shared/event/eventStores.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { startQueueStack, type QueueStack } from '../queueStack.ts';

export const CORRELATION = 'cor-of-an-export' as CorrelationId;
type Row = Readonly<Record<string, unknown>>;
/** The most rows of one call. */
const BATCH = 25;

/** The emulators, objects in memory, and the archive function, which may die at any of its calls. */
export class ArchiveWorld {
  readonly stack: QueueStack;
  readonly objects = new MemoryObjects();
  /** Moves the clock of the function on. */
  aheadMs = 0;
  readonly clock = { ...systemClock, nowMs: (): number => Date.now() + this.aheadMs };

  private constructor(stack: QueueStack) {
    this.stack = stack;
  }

  static async start(): Promise<ArchiveWorld> {
    return new ArchiveWorld(await startQueueStack());
  }

  stop(): Promise<void> {
    return this.stack.stop();
  }

  get jobs(): ArchiveJobs {
    return new ArchiveJobs({ ...this.stack, clock: this.clock });
  }

  get files(): ExportFiles {
    return new ExportFiles({ ...this.stack, clock: this.clock });
  }

  newTenant(): TenantId {
    return makeId('tnt', Date.now(), systemRandom);
  }

  async aConnection(tenantId: TenantId): Promise<Connection> {
    const connection: Connection = {
      tenantId,
      connectionId: makeId('con', Date.now(), systemRandom),
      label: undefined,
      shard: 0,
      wanted: 'online',
      pairing: undefined,
      account: undefined,
      status: 'online',
      statusCode: 'open',
      statusSinceMs: 0,
      createdAtMs: Date.now(),
      parkedCount: 0,
    };
    await new ConnectionStore(this.stack).create(connection, 1_000);
    return connection;
  }

  /** Puts rows as they are. */
  async put(rows: readonly Row[]): Promise<void> {
    for (let from = 0; from < rows.length; from += BATCH) {
      const writes = rows.slice(from, from + BATCH).map((Item) => ({ PutRequest: { Item } }));
      await this.stack.table.send(new BatchWriteCommand({ RequestItems: { [tableName('test', 'core')]: writes } }));
    }
  }

  /** All rows of a partition. */
  async rowsOf(pk: string, prefix = ''): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let ExclusiveStartKey: Row | undefined;
    do {
      const answer = await this.stack.table.send(
        new QueryCommand({
          TableName: tableName('test', 'core'),
          KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: prefix === '' ? { ':pk': pk } : { ':pk': pk, ':prefix': prefix },
          ConsistentRead: true,
          ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
        }),
      );
      rows.push(...(answer.Items ?? []));
      ExclusiveStartKey = answer.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return rows;
  }

  async ask(tenantId: TenantId, asked: Partial<ExportAsked> = {}, names?: readonly string[]): Promise<ExportJob> {
    const nowMs = this.clock.nowMs();
    const job = newExport(
      {
        tenantId,
        exportId: makeId('exp', nowMs, systemRandom),
        correlationId: CORRELATION,
        asked: { media: false, ...asked },
        names: names ?? (asked.contact === undefined ? undefined : [asked.contact]),
        keptDays: 7,
      },
      nowMs,
    );
    await this.jobs.create(job);
    return job;
  }

  async erase(tenantId: TenantId, contact: string) {
    const nowMs = this.clock.nowMs();
    const erasureId = makeId('ers', nowMs, systemRandom);
    const job = newErasure({ tenantId, erasureId, correlationId: CORRELATION, contact }, nowMs);
    await this.jobs.create(job);
    return job;
  }

  /** One run of the function, by a process that may die. */
  async run(life = new Life()): Promise<void> {
    const table = life.of(this.stack.table);
    const stores = { table, stage: 'test', clock: this.clock };
    const handle = makeArchiveHandler({
      ...this.stack,
      ...stores,
      random: systemRandom,
      queue: life.of(this.stack.queue),
      logger: silentLogger,
      jobs: new ArchiveJobs(stores),
      files: new ExportFiles(stores),
      connections: new ConnectionStore(stores),
      contacts: new ContactStore(stores),
      media: new MediaStore(stores),
      live: new LiveCopies(stores),
      erasures: new Erasures(stores),
      objects: lifeOf(life, this.objects),
      copies: { copy: (from, to) => this.#copy(life, from, to) },
    });
    await handle().catch((error: unknown) => {
      if (!life.isDead) throw error;
    });
  }

  /** The manifest of an export, with the lines of its parts: each hash is that of what lies there. */
  async read(job: ExportJob): Promise<{ readonly manifest: Manifest; readonly lines: readonly Row[] }> {
    const kept = (name: string): Buffer => {
      const found = this.objects.kept.get(exportObjectKey(job, name));
      if (found === undefined) throw new Error(`there is no ${name}`);
      return found.bytes;
    };
    const manifest = manifestSchema.parse(JSON.parse(kept(MANIFEST).toString()));
    const lines = manifest.parts.flatMap(({ name, sha256, bytes }) => {
      const packed = kept(name);
      const hash = createHash('sha256').update(packed).digest('hex');
      if (hash !== sha256 || packed.length !== bytes) throw new Error(`${name} is another part than its manifest says`);
      return gunzipSync(packed).toString().trimEnd().split('\n');
    });
    return { manifest, lines: lines.map((line) => JSON.parse(line) as Row) };
  }

  async #copy(life: Life, from: string, to: string): Promise<'copied' | 'missing'> {
    const found = this.objects.kept.get(from);
    if (found === undefined) return 'missing';
    const copying = { send: async (): Promise<unknown> => this.objects.kept.set(to, found) };
    await life.of(copying).send();
    return 'copied';
  }
}

/** The people of a conversation. */
export const ADA = '4915111111111@s.whatsapp.net';
export const ADA_LID = '236471520047@lid';
export const BOB = '4915122222222@s.whatsapp.net';
export const GROUP = '120363041234567890@g.us';

/**
 * Rows of a connection: Ada and Bob write, and both in a group; one message was edited and one taken back, one was sent to the group and has receipts.
 * Ada's LID is known where it is asked for.
 */
export function aConversation(connection: Connection, isLidKnown = true): readonly Row[] {
  const { connectionId } = connection;
  const at = Date.now() - 3_600_000;
  const of = (text: string, seconds: number, more: Partial<ReceivedMessage> = {}) =>
    aReceived(connection, text, { createdAtMs: at + seconds * 1_000, ...more });
  const edited = of('good evening', 1, { editedAtMs: at + 60_000, editedBy: 'EDIT' });
  const before = { atMs: at + 1_000, stanzaId: edited.stanzaId, content: someContent('good morning') };
  const now = { atMs: at + 60_000, stanzaId: 'EDIT', content: someContent('good evening') };
  const version = { connectionId, messageId: edited.messageId, nowMs: Date.now() };
  const sent = aSentMessage(connection, { to: GROUP, state: 'delivered', createdAtMs: at + 5_000, members: 2 });
  const ttl = expiryOf('message', Date.now());
  return [
    toRow(edited),
    versionItem(version, before),
    versionItem(version, now),
    toRow(of('from Bob', 2, { chat: BOB, sender: BOB })),
    toRow(of('Ada in the group', 3, { chat: GROUP, sender: isLidKnown ? ADA_LID : ADA, deletedAtMs: at + 70_000 })),
    toRow(of('Bob in the group', 4, { chat: GROUP, sender: BOB })),
    toSentItem(sent),
    {
      ...receiptsKey(connectionId, sent.messageId),
      people: `;L${ADA_LID.split('@')[0]}P4915111111111=5,,`,
      delivered: 1,
      read: 0,
      played: 0,
      ttl,
    },
    ...[isLidKnown ? ADA_LID : ADA, BOB, GROUP].map((id) => ({
      ...chatKey(connectionId, id),
      ...newChat({ id, number: id === ADA_LID ? '4915111111111' : undefined }),
      lastAtMs: at,
      version: 1,
      ttl,
    })),
    ...(isLidKnown ? [{ ...contactNumberKey(connectionId, '4915111111111'), id: ADA_LID, ttl }] : []),
    aContact(connectionId, isLidKnown ? { id: ADA_LID, number: '4915111111111' } : { id: ADA }),
    aContact(connectionId, { id: BOB }),
  ];
}

function aContact(connectionId: ConnectionId, names: { readonly id: string; readonly number?: string }): Row {
  const seen = { push: 'somebody', firstSeenAtMs: Date.now(), seenAtMs: Date.now(), version: 1 };
  return { ...contactKey(connectionId, names.id), ...names, ...seen, ttl: expiryOf('contact', Date.now()) };
}

/** Objects whose writes and removals are calls of a process that may die. */
export function lifeOf(life: Life, objects: MemoryObjects): Pick<ObjectStore, 'write' | 'remove'> {
  return {
    write: (...given) => life.of({ send: (): Promise<void> => objects.write(...given) }).send(),
    remove: (key) => life.of({ send: (): Promise<void> => objects.remove(key) }).send(),
  };
}

/** The row of a text that came. */
export function aReceived(
  { tenantId, connectionId }: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
  text: string,
  overrides: Partial<ReceivedMessage> = {},
): ReceivedMessage {
  const stanzaId = makeStanzaId(systemRandom);
  const { chat = '4915111111111@s.whatsapp.net', sender = chat, createdAtMs = Date.now() } = overrides;
  return {
    tenantId,
    connectionId,
    messageId: deriveMessageId(connectionId, { chat, sender, stanzaId, timestampMs: createdAtMs }),
    stanzaId,
    createdAtMs,
    direction: 'in',
    chat,
    sender,
    senderName: 'Ada',
    content: someContent(text),
    flags: undefined,
    ...overrides,
  };
}

export function toRow(message: ReceivedMessage): Row {
  return receivedMessageItem(message, Date.now());
}
