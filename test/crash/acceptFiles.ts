import { request } from 'undici';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, type TenantId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { broughtKeyOf, type BroughtFile } from '../../shared/media/broughtFile.ts';
import { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { S3ObjectUploads } from '../../shared/media/s3ObjectUploads.ts';
import { S3RequestSigner } from '../../shared/media/s3RequestSigner.ts';
import { partsOfUpload, UPLOAD_PART_BYTES } from '../../shared/media/settleUpload.ts';
import type { ObjectConfig } from '../../shared/platform/objectConfig.ts';
import { credentialsOf } from '../../infra/local/callers.ts';
import { startObjects, type ObjectEmulator } from '../emulators/objects.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';

const SECONDS = 600;
const BYTES = UPLOAD_PART_BYTES + 1_000;

export const textOf = (body: string): object => ({ type: 'text', text: { body } });

/** The files that messages are made of, in a store of their own. */
export class AcceptFiles {
  readonly #objects: ObjectEmulator;
  readonly #brought: BroughtFileStore;
  readonly #uploads: S3ObjectUploads;

  private constructor(objects: ObjectEmulator, table: DynamoDBDocumentClient) {
    this.#objects = objects;
    this.#brought = new BroughtFileStore({ table, stage: 'test', clock: systemClock });
    const config = aStoreConfig({}, objects.config);
    const signer = new S3RequestSigner(config, async () => credentialsOf('api'), systemClock);
    this.#uploads = new S3ObjectUploads(signer, config.storeTimeoutMs);
  }

  static async start(table: DynamoDBDocumentClient): Promise<AcceptFiles> {
    return new AcceptFiles(await startObjects(), table);
  }

  get config(): ObjectConfig {
    return this.#objects.config;
  }

  stop(): Promise<void> {
    return this.#objects.stop();
  }

  /** What a request sends: a text, or a document with it as its caption. */
  async contentOf(tenantId: TenantId, file: 'known' | 'just uploaded' | undefined, text: string): Promise<object> {
    if (file === undefined) return textOf(text);
    const mediaId = makeId('med', systemClock.nowMs(), systemRandom);
    const objectKey = broughtKeyOf(tenantId, mediaId, 90);
    const row: BroughtFile = {
      mediaId,
      tenantId,
      broughtBy: 'upload',
      objectKey,
      bytes: BYTES,
      createdAtMs: systemClock.nowMs(),
      ...(file === 'known' ? { state: 'ready' } : { state: 'awaited', uploadId: await this.#uploadInParts(objectKey) }),
    };
    await this.#brought.create(row);
    return { type: 'document', document: { id: mediaId, caption: text } };
  }

  /** Uploads all parts of a file. Nobody says that this is over. Returns the id of the upload. */
  async #uploadInParts(key: string): Promise<string> {
    const uploadId = await this.#uploads.begin(key);
    for (const [place, bytes] of partsOfUpload(BYTES).entries()) {
      const url = await this.#uploads.addressOfPart(key, uploadId, { number: place + 1, bytes }, SECONDS);
      const { statusCode, body } = await request(url, { method: 'PUT', body: Buffer.alloc(bytes, 'part ') });
      await body.dump();
      if (statusCode !== 200) throw new Error(`a part was not taken: ${statusCode}`);
    }
    return uploadId;
  }
}
