import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { eraseFilesForGood } from '../../../functions/media/eraseFile.ts';
import { eraseConnections } from '../../../functions/dispatch/eraseConnections.ts';
import { workTenant } from '../../../functions/runtime/tenantWork.ts';
import { newDeletion } from '../../../shared/archive/newDeletion.ts';
import { newExport } from '../../../shared/archive/newExport.ts';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { TenantHold } from '../../../shared/connection/tenantHold.ts';
import { connectionDeletedKey } from '../../../shared/event/facts/connectionDeletedFact.ts';
import { createTenantKey } from '../../../shared/identity/tenantKeys.ts';
import {
  deriveMediaId,
  makeId,
  type CorrelationId,
  type DeliveryId,
  type MediaId,
  type TenantId,
} from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { broughtKeyOf, type BroughtFile } from '../../../shared/media/broughtFile.ts';
import { BroughtFileStore } from '../../../shared/media/broughtFileStore.ts';
import { countBrought } from '../../../shared/media/countBrought.ts';
import { Erasures } from '../../../shared/media/erasures.ts';
import { eraseForGoodJobSchema, holderOf } from '../../../shared/media/eraseJob.ts';
import { keptUntilMs } from '../../../shared/media/fileKeeping.ts';
import { TenantFiles } from '../../../shared/media/keptBytes.ts';
import { objectKeyOf, objectNameOf, type Media } from '../../../shared/media/media.ts';
import { MediaStore, toMediaItem, toThumbnailItem } from '../../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../../shared/media/objectHolds.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import { UploadStore } from '../../../shared/media/uploadStore.ts';
import {
  bulkLinesKey,
  bulkSendKey,
  chainedEventKey,
  dueKey,
  parkedKey,
  readerSlotKey,
  waitingDeliveryKey,
} from '../../../shared/platform/keys.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { scanItems, type Item } from '../../../shared/platform/pages.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import { bucketKey, quotaTermsKey } from '../../../shared/platform/quotaKeys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { createTenant } from '../../../shared/tenant/tenant.ts';
import { beginDeletion, changeStanding, listTenantWork } from '../../../shared/tenant/tenantWork.ts';
import { aBatch, aMessageFact, aSentMessage } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { toSentItem } from '../../../shared/message/messageItem.ts';
import { receive } from '../queueStack.ts';
import { ADA, aConversation, aReceived, ArchiveWorld, lifeOf, toRow } from './archiveWorld.ts';
import { aPast, bringHistory } from './pastOf.ts';

const correlationId = 'cor-of-operator' as CorrelationId;
/** Longer than a request may have that was let in before, and than it takes until the rows of a connection are looked at again. */
const LATER_MS = 700_000;
const TableName = tableName('test', 'core');
const always = (): boolean => true;

/** A tenant that has something of each kind. */
export interface FilledTenant {
  readonly tenantId: TenantId;
  readonly connections: readonly Connection[];
  /** What leads to rows in whose keys neither the tenant nor a connection stands. */
  readonly names: readonly string[];
}

/** The functions that delete a tenant, on emulators, each of which may die at any of its calls. Their owners unlink connections at once. */
export class DeletionWorld {
  readonly archive: ArchiveWorld;
  #batches = 0;

  private constructor(archive: ArchiveWorld) {
    this.archive = archive;
  }

  static async start(): Promise<DeletionWorld> {
    return new DeletionWorld(await ArchiveWorld.start());
  }

  stop(): Promise<void> {
    return this.archive.stop();
  }

  async aFilledTenant(): Promise<FilledTenant> {
    const { archive } = this;
    const { stack } = archive;
    const { tenantId } = await createTenant(stack, 'Acme');
    const key = await createTenantKey(stack, tenantId, { label: 'till' });
    const connections = [await archive.aConnection(tenantId), await this.#unpaired(tenantId)] as const;
    const [connection] = connections;
    const { connectionId } = connection;
    const { endpointId } = await stack.endpoints.create({ refusalOf: () => Promise.resolve(undefined) }, tenantId, {
      url: 'https://example.com/hook',
      events: undefined,
      connectionIds: undefined,
      chatKinds: undefined,
      headers: {},
      batch: undefined,
      order: undefined,
    });
    const bulkSendId = makeId('blk', Date.now(), systemRandom);
    const message = aSentMessage(connection, { state: 'queued' });
    const rows = [
      ...aConversation(connection),
      toSentItem(message),
      { ...bulkSendKey(connectionId, bulkSendId), state: 'scheduled' },
      { ...bulkLinesKey(bulkSendId, 0), lines: 'to everybody' },
      { ...parkedKey(connectionId, '123456789'), tenantId },
      { ...dueKey('SEND', connectionId, { atMs: Date.now(), messageId: message.messageId }), tenantId },
      { ...chainedEventKey(endpointId, connectionId, 'evt_000000000000000'), text: 'good morning' },
      { ...waitingDeliveryKey(endpointId, 'delivery-1' as DeliveryId), text: 'good evening' },
      { ...readerSlotKey(tenantId, 'waiting', 1), until: 0 },
      { ...bucketKey({ tenantId, quota: 'requests', of: undefined }), tokens: 3 },
      { ...quotaTermsKey(tenantId), plan: 'small' },
    ];
    for (const Item of rows) await stack.table.send(new PutCommand({ TableName, Item: { ...Item } }));
    await recordFacts({ ...stack, clock: archive.clock }, this.#batch(connection, aMessageFact()));
    await bringHistory(stack, connection, [aPast(connection, { text: 'long ago', chat: ADA })]);
    const files = [await this.#receivedFile(connection), await this.#broughtFile(tenantId)];
    await new TenantFiles({ ...stack, clock: archive.clock }).chooseKeptDays(tenantId, 30);
    await this.#export(tenantId);
    return { tenantId, connections, names: [endpointId, bulkSendId, key.keyId, ...files] };
  }

  /** Has a tenant suspended, and deleted. */
  async ask(tenantId: TenantId): Promise<void> {
    const { stack, clock, jobs } = this.archive;
    const sinceMs = clock.nowMs();
    const reason = { state: 'suspended', reason: 'It leaves us.', sinceMs } as const;
    await changeStanding(stack, reason, { tenantId, work: 'suspend', sinceMs, correlationId });
    const work = { tenantId, work: 'delete', sinceMs, correlationId } as const;
    await beginDeletion(stack, work, jobs.writesOf(newDeletion(tenantId, correlationId, sinceMs)));
  }

  /** A run of each function in turn, by processes of which one may die at a call; then the time passes. */
  async round(life = new Life()): Promise<void> {
    const runs: readonly (() => Promise<unknown>)[] = [
      () => this.#reconcile(life),
      () => this.#own(),
      () => this.#archive(life),
      () => this.#dispatch(life),
      () => this.#media(life),
    ];
    for (const run of runs) {
      await run().catch((error: unknown) => {
        if (!life.isDead) throw error;
      });
    }
    this.archive.aheadMs += LATER_MS;
  }

  /** Rounds until a tenant is deleted. @param life of the processes of the first ones, until it has died */
  async untilDeleted(tenantId: TenantId, life = new Life()): Promise<number> {
    for (let rounds = 1; rounds <= 20; rounds += 1) {
      await this.round(life.isDead ? new Life() : life);
      if ((await this.archive.jobs.find(tenantId, 'deletion')) === undefined) return rounds;
    }
    throw new Error('the tenant is not deleted');
  }

  /** All rows of the table in whose keys or attributes one of the names stands. */
  async rowsWith(names: readonly string[]): Promise<readonly Item[]> {
    const { table } = this.archive.stack;
    const all = await Array.fromAsync(scanItems(table, { TableName }));
    return all.filter((row) => {
      const text = JSON.stringify(row);
      return names.some((name) => text.includes(name));
    });
  }

  namesOf({ tenantId, connections, names }: FilledTenant): readonly string[] {
    return [tenantId, ...connections.map(({ connectionId }) => connectionId), ...names];
  }

  objectsOf({ tenantId }: Pick<FilledTenant, 'tenantId'>): readonly string[] {
    return [...this.archive.objects.kept.keys()].filter((key) => key.includes(tenantId));
  }

  async #reconcile(life: Life): Promise<void> {
    const { stack, clock } = this.archive;
    const parts = { ...stack, clock, table: life.of(stack.table), queue: life.of(stack.queue), logger: silentLogger };
    for (const work of await Array.fromAsync(listTenantWork(stack))) await workTenant(parts, work, always);
  }

  /** The owner of all connections: those that are to end do, and that is told and recorded. */
  async #own(): Promise<void> {
    const { stack, clock } = this.archive;
    const store = new ConnectionStore(stack);
    for (const connection of await store.listOfShard(0)) {
      if (connection.wanted !== 'deleted') continue;
      const key = connectionDeletedKey(connection.connectionId);
      const fact = { kind: 'connection_deleted', key, atMs: clock.nowMs() } as const;
      await recordFacts({ ...stack, clock }, this.#batch(connection, fact));
      await store.remove(connection);
    }
  }

  async #archive(life: Life): Promise<void> {
    await this.archive.run(life);
  }

  async #dispatch(life: Life): Promise<void> {
    const { stack, clock } = this.archive;
    const table = life.of(stack.table);
    const parts = { ...stack, clock, table, queue: life.of(stack.queue), logger: silentLogger };
    const failures: unknown[] = [];
    const dependencies = { ...parts, erasures: new Erasures(parts) };
    await eraseConnections(dependencies, (_erasure, error) => failures.push(error), always);
    if (!life.isDead && failures.length > 0) throw new AggregateError(failures, 'rows of connections stay');
  }

  async #media(life: Life): Promise<void> {
    const { stack, clock, objects } = this.archive;
    const stores = { ...stack, clock, table: life.of(stack.table) };
    const jobs = await receive(stack, `${stack.queueUrlBase}${mediaQueueName('test')}`);
    for (const { Body = '' } of jobs) {
      const job = eraseForGoodJobSchema.safeParse(JSON.parse(Body));
      if (!job.success) continue;
      await eraseFilesForGood(
        {
          ...stores,
          media: new MediaStore(stores),
          brought: new BroughtFileStore(stores),
          holds: new ObjectHolds(stores),
          pictures: new PictureStore(stores),
          uploads: new UploadStore(stores),
          objects: lifeOf(life, objects),
        },
        job.data,
      );
    }
  }

  #batch(ids: Pick<Connection, 'tenantId' | 'connectionId'>, fact: Parameters<typeof aBatch>[1][number]) {
    return aBatch(ids, [fact], `batch-${(this.#batches += 1)}`);
  }

  async #unpaired(tenantId: TenantId): Promise<Connection> {
    const connectionId = makeId('con', Date.now(), systemRandom);
    const like = await this.archive.aConnection(tenantId);
    await new TenantHold(this.archive.stack).hold(like);
    const connection: Connection = { ...like, connectionId, unpairedPlace: 1, wanted: 'off' };
    await new ConnectionStore(this.archive.stack).create(connection, 1_000);
    return connection;
  }

  /** A message with a file that is here, with its small picture, and the same file as it lies at WhatsApp. */
  async #receivedFile(connection: Connection): Promise<MediaId> {
    const { stack, clock } = this.archive;
    const message = aReceived(connection, 'with a file', {
      files: [{ use: 'image', path: '/v/1', key: 'key', mime_type: 'image/jpeg' }],
    });
    const mediaId = deriveMediaId(message.messageId, 0);
    const { tenantId, connectionId, messageId } = message;
    const row: Media = {
      tenantId,
      connectionId,
      messageId,
      mediaId,
      correlationId,
      createdAtMs: Date.now(),
      type: 'image',
      file: { use: 'image', path: '/v/1', key: 'key', sha256: 'c2hh', mime_type: 'image/jpeg' },
      told: {},
      state: 'ready',
      sha256: 'c2hh',
      round: 1,
      generation: 0,
    };
    const kept = { ...row, objectKey: objectKeyOf(row) };
    const nowMs = Date.now();
    const items = [
      toRow(message),
      toMediaItem(kept, nowMs),
      toThumbnailItem({ mediaId, thumbnail: 'anBlZw==' }, nowMs),
    ];
    for (const Item of items) await stack.table.send(new PutCommand({ TableName, Item: { ...Item } }));
    const holds = new ObjectHolds({ ...stack, clock });
    await holds.count(await holds.hold(objectNameOf(kept), holderOf(kept), nowMs + LATER_MS), 5, nowMs + LATER_MS);
    await this.#store(kept.objectKey);
    const upload = { tenantId, file: 'c2hh', as: 'image', convert: true, plain: false } as const;
    const state = { state: 'failed', fault: 'broken', endedAtMs: nowMs } as const;
    await new UploadStore({ ...stack, clock }).write(upload, undefined, state);
    return mediaId;
  }

  async #broughtFile(tenantId: TenantId): Promise<MediaId> {
    const { stack, clock } = this.archive;
    const nowMs = Date.now();
    const mediaId = makeId('med', nowMs, systemRandom);
    const objectKey = broughtKeyOf(tenantId, mediaId, 30);
    const until = keptUntilMs(30, nowMs);
    const file: BroughtFile = {
      mediaId,
      tenantId,
      objectKey,
      keptUntilMs: until,
      broughtBy: 'upload',
      state: 'ready',
      bytes: 5,
      createdAtMs: nowMs,
    };
    await new BroughtFileStore({ ...stack, clock }).create(file);
    await countBrought(new ObjectHolds({ ...stack, clock }), file, 5);
    await this.#store(objectKey);
    return mediaId;
  }

  /** An export that is under way, and has stored a part. */
  async #export(tenantId: TenantId): Promise<void> {
    const { jobs, files } = this.archive;
    const nowMs = this.archive.clock.nowMs();
    const exportId = makeId('exp', nowMs, systemRandom);
    const given = { tenantId, exportId, correlationId, asked: { media: false }, names: undefined, keptDays: 7 };
    const job = newExport(given, nowMs);
    await jobs.create({ ...job, state: 'done', isTold: true, dueAtMs: nowMs + 86_400_000 });
    const name = 'part-000001-0123456789ab.jsonl.gz';
    await files.note(job, name);
    await this.#store(`${tenantId}/exports/${exportId}/${name}`);
  }

  async #store(key: string): Promise<void> {
    const bytes = (async function* () {
      yield Buffer.from('bytes');
    })();
    await this.archive.objects.write(key, bytes, { contentType: 'image/jpeg' }, AbortSignal.timeout(5_000));
  }
}
