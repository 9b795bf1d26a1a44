import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { startObjectServer, type ObjectServer } from '../../infra/local/objects/objectServer.ts';
import { batchEnvelopeSchema } from '../../shared/event/factBatch.ts';
import { factSchema } from '../../shared/event/facts/factRows.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { deriveMediaId, makeId, type CorrelationId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { broughtKeyOf, linkedFile, type BroughtFile } from '../../shared/media/broughtFile.ts';
import { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import type { Media } from '../../shared/media/media.ts';
import { MediaStore, toMediaItem } from '../../shared/media/mediaStore.ts';
import { S3ObjectStore } from '../../shared/media/s3ObjectStore.ts';
import { UploadStore } from '../../shared/media/uploadStore.ts';
import { makeObjectClient } from '../../shared/platform/objectClient.ts';
import { commandQueueName, eventQueueName } from '../../shared/platform/queues.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { FileHost, giving } from '../functions/media/fileHost.ts';
import { CONVERTER_PROGRAM } from '../functions/media/prepare/preparing.ts';
import { UploadHost } from '../functions/media/send/uploadHost.ts';
import { receive, startQueueStack, type QueueStack } from '../functions/queueStack.ts';
import { newIds } from '../shared/event/eventStores.ts';
import { seal } from '../shared/media/sealed.ts';

const BUCKET = 'test-media';
const DAY_MS = 86_400_000;

/** Stores, hosts of files, and a folder of temporary files: what the processes of the media function find. */
export class FileWorld {
  readonly stack: QueueStack;
  readonly host: FileHost;
  readonly uploadHost: UploadHost;
  readonly #folders: { readonly objects: string; readonly temporary: string };
  #server: ObjectServer;
  #nowMs = (): number => Date.now();
  #files = 0;

  private constructor(
    stack: QueueStack,
    host: FileHost,
    uploadHost: UploadHost,
    server: ObjectServer,
    folders: { readonly objects: string; readonly temporary: string },
  ) {
    [this.stack, this.host, this.uploadHost, this.#server, this.#folders] = [stack, host, uploadHost, server, folders];
  }

  static async start(): Promise<FileWorld> {
    const folderOf = (name: string): string => mkdtempSync(join(tmpdir(), `holdfast-kills-${name}-`));
    const folders = { objects: folderOf('objects'), temporary: folderOf('tmp') };
    const [stack, host, uploadHost, server] = await Promise.all([
      startQueueStack(),
      FileHost.start(),
      UploadHost.start(),
      startObjectServer({ port: 0, bucket: BUCKET, dataDir: folders.objects }),
    ]);
    return new FileWorld(stack, host, uploadHost, server, folders);
  }

  async stop(): Promise<void> {
    await Promise.all([this.stack.stop(), this.host.stop(), this.uploadHost.stop(), this.#server.stop()]);
    for (const folder of Object.values(this.#folders)) rmSync(folder, { recursive: true, force: true });
  }

  /** The environment of a process of the media function. */
  environment(dynamoDbEndpoint: string): Readonly<Record<string, string>> {
    const { queueUrlBase } = this.stack;
    return {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'media',
      AWS_SECRET_ACCESS_KEY: 'local',
      HOLDFAST_STAGE: 'test',
      HOLDFAST_LOG_LEVEL: 'info',
      HOLDFAST_DYNAMODB_ENDPOINT: dynamoDbEndpoint,
      HOLDFAST_SQS_ENDPOINT: new URL(queueUrlBase).origin,
      HOLDFAST_QUEUE_URL_BASE: queueUrlBase,
      HOLDFAST_S3_ENDPOINT: this.#server.endpoint,
      HOLDFAST_MEDIA_BUCKET: BUCKET,
      HOLDFAST_CONVERTER_FILE: CONVERTER_PROGRAM,
      WHATSAPP_FILES_URL: this.host.origin,
      TMPDIR: this.#folders.temporary,
    };
  }

  /** A file of a message that lies sealed at WhatsApp, and its row. */
  async aMessageFile(plain: Buffer): Promise<Media> {
    const { sealed, key, sha256 } = seal(plain, 'WhatsApp Document Keys');
    const path = `/v/t62.7119-24/${(this.#files += 1)}`;
    this.host.behave(path, giving(sealed));
    const messageId = makeId('msg', Date.now(), systemRandom);
    const media: Media = {
      ...newIds(),
      mediaId: deriveMediaId(messageId, 0),
      messageId,
      correlationId: 'cor-of-test' as CorrelationId,
      createdAtMs: Date.now(),
      type: 'document',
      file: { use: 'document', path, key, sha256, mime_type: 'application/pdf' },
      told: {},
      state: 'pending',
      round: 1,
    };
    await this.stack.table.send(
      new PutCommand({ TableName: tableName('test', 'core'), Item: { ...toMediaItem(media, Date.now()) } }),
    );
    return media;
  }

  /** A file that a tenant has uploaded. */
  async anUploadedFile(plain: Buffer): Promise<BroughtFile> {
    const { tenantId } = newIds();
    const mediaId = makeId('med', Date.now(), systemRandom);
    const objectKey = broughtKeyOf(tenantId, mediaId, 90);
    const file: BroughtFile = {
      mediaId,
      tenantId,
      broughtBy: 'upload',
      state: 'ready',
      objectKey,
      bytes: plain.length,
      createdAtMs: Date.now(),
    };
    await this.objects().write(objectKey, Readable.from([plain]), { contentType: 'x/y' }, new AbortController().signal);
    await this.brought().create(file);
    return file;
  }

  /** A file behind a link, and its row. */
  async aLinkedFile(plain: Buffer): Promise<BroughtFile> {
    const { tenantId } = newIds();
    const path = `/linked/${(this.#files += 1)}`;
    this.host.behave(path, giving(plain));
    const file = linkedFile(tenantId, `${this.host.origin}${path}`, 90, Date.now());
    await this.brought().create(file);
    return file;
  }

  readonly media = (): MediaStore => new MediaStore({ ...this.stack, clock: systemClock });
  readonly brought = (): BroughtFileStore => new BroughtFileStore({ ...this.stack, clock: systemClock });
  readonly uploads = (): UploadStore => new UploadStore({ ...this.stack, clock: systemClock });

  objects(): S3ObjectStore {
    const config = aStoreConfig({}, { s3Endpoint: this.#server.endpoint, mediaBucket: BUCKET });
    return new S3ObjectStore(makeObjectClient(config), BUCKET);
  }

  /** SHA-256 of an object, in base64; undefined where there is none. */
  async hashOf(objectKey: string): Promise<string | undefined> {
    const stream = await this.objects().read(objectKey);
    if (stream === undefined) return undefined;
    const hash = createHash('sha256');
    for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk);
    return hash.digest('base64');
  }

  /** The keys of the facts that were published since, and the number of commands for workers. They are removed. */
  async takeTold(): Promise<{ readonly factKeys: readonly string[]; readonly commands: number }> {
    const facts = await this.#takeAll(eventQueueName('test'));
    const commands = await this.#takeAll(commandQueueName('test', 1));
    const factKeys = facts.flatMap((body) =>
      batchEnvelopeSchema.parse(JSON.parse(body)).events.map((fact) => factSchema.parse(fact).key),
    );
    return { factKeys, commands: commands.length };
  }

  /** What processes have left among their temporary files. */
  temporary(): readonly string[] {
    return readdirSync(this.#folders.temporary, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /run-\d+/.test(name),
    );
  }

  /** The number of uploads into the store that nobody has ended. */
  openUploads(): number {
    return readdirSync(join(this.#folders.objects, 'uploads')).length;
  }

  /** A day passes, and the lifecycle of the bucket does its work: here at the start of the store. */
  async afterADay(): Promise<void> {
    await this.#server.stop();
    this.#nowMs = () => Date.now() + DAY_MS + 60_000;
    const port = 0;
    const nowMs = this.#nowMs;
    this.#server = await startObjectServer({ port, bucket: BUCKET, dataDir: this.#folders.objects, nowMs });
  }

  async #takeAll(name: string): Promise<readonly string[]> {
    const QueueUrl = `${this.stack.queueUrlBase}${name}`;
    const bodies: string[] = [];
    for (;;) {
      const messages = await receive(this.stack, QueueUrl);
      if (messages.length === 0) return bodies;
      for (const { Body = '', ReceiptHandle } of messages) {
        bodies.push(Body);
        await this.stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }
}
