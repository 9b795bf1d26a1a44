import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type UploadPartCommandOutput,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { withDeadline } from '../kernel/deadline.ts';
import { deadlines } from '../kernel/deadlines.ts';
import { ObjectParts, type ObjectPart } from './objectParts.ts';
import {
  checkObjectKey,
  MOST_PARTS,
  toRangeHeader,
  type ByteRange,
  type ObjectFound,
  type ObjectStore,
} from './objectStore.ts';

/**
 * Objects in a bucket of S3. Each call has the deadlines and tries of its client (shared/platform/objectClient.ts).
 *
 * A short file is one call. A longer one is an upload in parts, which nobody sees before it is completed: a process that
 * dies in the middle leaves parts, which the bucket's lifecycle removes after a day. The next part is gathered while one is
 * sent. The SDK's own upload gives an abort back at once and cleans up behind its caller's back, where a function may be
 * frozen already; here the parts are gone, or have been asked to go, when `write` rejects. Two that write the same key at
 * once both succeed, and one of the two objects stays.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async write(
    key: string,
    source: AsyncIterable<Uint8Array>,
    about: { readonly contentType: string },
    signal: AbortSignal,
  ): Promise<void> {
    checkObjectKey(key);
    const parts = new ObjectParts(source, signal);
    try {
      const first = await parts.next();
      if (first.isLast) await this.#put(key, first.bytes, about.contentType, signal);
      else await this.#putInParts(key, { first, parts, contentType: about.contentType, signal });
    } finally {
      parts.end();
    }
  }

  async head(key: string): Promise<ObjectFound | undefined> {
    const found = await this.#look(key);
    if (found === undefined) return undefined;
    return { bytes: found.ContentLength ?? 0, storedAtMs: found.LastModified?.getTime() ?? 0 };
  }

  async read(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const Range = range === undefined ? {} : { Range: toRangeHeader(range) };
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#at(key), ...Range }));
      // On Node the body is the answer itself.
      return Body === undefined ? Readable.from([]) : withoutPauses(Body as Readable);
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (nameOf(error) === 'InvalidRange') throw new RangeError('the object ends before the range', { cause: error });
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(key)));
  }

  async #put(key: string, Body: Uint8Array, ContentType: string, abortSignal: AbortSignal): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#at(key), Body, ContentType }), { abortSignal });
  }

  async #putInParts(key: string, of: Upload): Promise<void> {
    const { contentType: ContentType, signal: abortSignal } = of;
    // An upload is known as ours by this, when the answer to its last call is lost.
    const write = randomUUID();
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({
        ...this.#at(key),
        ContentType,
        Metadata: { write },
        ChecksumAlgorithm: 'CRC32',
      }),
      { abortSignal },
    );
    const upload = { ...this.#at(key), UploadId };
    try {
      const Parts = await this.#sendParts(upload, of);
      of.signal.throwIfAborted();
      await this.#complete(key, upload, Parts, write);
    } catch (error) {
      // When this fails as well, the lifecycle of the bucket does it.
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }

  /** Sends one part while the next is gathered. Nothing is under way any more when it ends, well or not. */
  async #sendParts(upload: UploadAddress, { first, parts, signal }: Upload): Promise<CompletedPart[]> {
    const stop = new AbortController();
    const abortSignal = AbortSignal.any([signal, stop.signal]);
    const sent: CompletedPart[] = [];
    for (let part: ObjectPart | undefined = first; part !== undefined;) {
      const PartNumber = sent.length + 1;
      if (PartNumber > MOST_PARTS) throw new RangeError('an object has ten thousand parts at most');
      const sending: Promise<UploadPartCommandOutput> = this.#client.send(
        new UploadPartCommand({ ...upload, PartNumber, Body: part.bytes }),
        {
          abortSignal,
        },
      );
      let next: ObjectPart | undefined;
      try {
        [next] = await Promise.all([part.isLast ? undefined : parts.next(), sending]);
      } catch (error) {
        stop.abort();
        await Promise.allSettled([sending]);
        throw error;
      }
      const { ETag, ChecksumCRC32 } = await sending;
      sent.push({ PartNumber, ETag, ChecksumCRC32 });
      part = next;
    }
    return sent;
  }

  /** S3 forgets an upload when it is completed: the second try of a call whose answer was lost finds none. */
  async #complete(key: string, upload: UploadAddress, Parts: CompletedPart[], write: string): Promise<void> {
    try {
      await this.#client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    } catch (error) {
      if (nameOf(error) !== 'NoSuchUpload') throw error;
      if ((await this.#look(key))?.Metadata?.['write'] !== write) throw error;
    }
  }

  async #look(key: string) {
    try {
      return await this.#client.send(new HeadObjectCommand(this.#at(key)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    checkObjectKey(key);
    return { Bucket: this.#bucket, Key: key };
  }
}

interface Upload {
  readonly first: ObjectPart;
  readonly parts: ObjectParts;
  readonly contentType: string;
  readonly signal: AbortSignal;
}

interface UploadAddress {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A question without a body is answered without one, so it says only `NotFound`. */
function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(nameOf(error));
}

/**
 * The bytes as they come, each wait for some of them bounded. A reader that takes its time is waited for. When it goes away,
 * so does the answer, with its connection.
 */
function withoutPauses(body: Readable): Readable {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return new Readable({
    read() {
      withDeadline('S3 GetObject, its bytes', deadlines.objectIdle.ms, () => chunks.next()).then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      body.destroy();
      done(error);
    },
  });
}
