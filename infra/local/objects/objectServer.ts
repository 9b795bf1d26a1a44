import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { objectDaysOfKey } from '../../../shared/media/fileKeeping.ts';
import { credentialsOf } from '../callers.ts';
import { makeSteadyServer, pathOf, targetOf } from '../steadyServer.ts';
import { ObjectFolder, type ObjectHead, type ObjectNote, type StoredPart } from './objectFolder.ts';
import { findByteRange } from './byteRange.ts';
import { findAddressFault } from './signedAddress.ts';
import {
  answerFault,
  answerQuestion,
  answerXml,
  escapeXml,
  openToPages,
  type ObjectFaultName,
} from './objectAnswers.ts';

/**
 * The S3 emulator: one bucket in a folder, behind a server on loopback only, with the calls that are made here. The S3 of
 * fauxqs, whose queues we use, holds each file that it is given or asked for in memory as a whole, several times when
 * it comes in parts, reads all that it has at its start, checks no signature and lets no address end. Here bytes pass from
 * connection to disk and back in pieces, and nothing is held at rest.
 *
 * A call with a signature in its header is taken as it is, like by the other emulators: a page in a browser cannot send
 * one, because the question that comes before it is refused. An address is judged as S3 does it, and a page may upload by one, as
 * the bucket on AWS lets it.
 */
export interface ObjectServer {
  /** The base URL, for example `http://127.0.0.1:4572`. */
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

export interface ObjectServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly bucket: string;
  /** Where objects survive a restart. */
  readonly dataDir: string;
  readonly nowMs?: () => number;
}

const KEEP_ALIVE_MS = 72_000;
/** The least size of a part that is not the last one. Source: S3 User Guide, "Amazon S3 multipart upload limits". */
const LEAST_PART_BYTES = 5 * 1_024 * 1_024;
const MOST_PARTS = 10_000;
const MOST_BYTES = 5 * 1_024 ** 3;
/** A list of ten thousand parts is shorter than that. */
const MOST_XML_BYTES = 4 * 1_024 * 1_024;

export async function startObjectServer(options: ObjectServerOptions): Promise<ObjectServer> {
  const nowMs = options.nowMs ?? Date.now;
  const folder = new ObjectFolder(options.dataDir, objectDaysOfKey);
  const room = new ObjectRoom(folder, options.bucket, nowMs);
  const server = makeSteadyServer((request, response) => room.answer(request, response), report);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  // A stack of this kind is started anew often enough. Nothing waits for it.
  const sweeping = folder.sweep(nowMs()).catch(report);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      await sweeping;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function* oneAfterAnother(streams: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Buffer> {
  for (const stream of streams) yield* stream;
}

function report(error: unknown): void {
  process.stderr.write(
    `the object emulator failed at a call: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
}

/** A call, taken apart. */
interface Asked {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

class ObjectRoom {
  readonly #folder: ObjectFolder;
  readonly #bucket: string;
  readonly #nowMs: () => number;

  constructor(folder: ObjectFolder, bucket: string, nowMs: () => number) {
    this.#folder = folder;
    this.#bucket = bucket;
    this.#nowMs = nowMs;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    const query = new URLSearchParams(targetOf(request).slice(path.length + 1));
    if (request.method === 'OPTIONS') return answerQuestion(request, response);
    const fault = this.#refusalOf(request, path, query);
    const [, bucket = '', ...rest] = path.split('/').map(unescaped);
    const asked = { key: rest.join('/'), query, request, response };
    if (fault !== undefined) return answerFault(asked, fault);
    if (bucket !== this.#bucket) return answerFault(asked, 'NoSuchBucket');
    if (asked.key === '') return answerFault(asked, 'NotImplemented');
    switch (request.method) {
      case 'GET':
        return query.has('uploadId') ? this.#list(asked) : this.#give(asked);
      case 'HEAD':
        return this.#give(asked);
      case 'PUT':
        return request.headers['x-amz-copy-source'] === undefined ? this.#take(asked) : this.#copy(asked);
      case 'POST':
        if (query.has('uploads')) return this.#begin(asked);
        return query.has('uploadId') ? this.#complete(asked) : answerFault(asked, 'NotImplemented');
      case 'DELETE':
        return this.#remove(asked);
      default:
        return answerFault(asked, 'MethodNotAllowed');
    }
  }

  #refusalOf(request: IncomingMessage, path: string, query: URLSearchParams): ObjectFaultName | undefined {
    const { method = 'GET', headers } = request;
    if (headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) return undefined;
    return findAddressFault({ method, path, query, headers }, secretOf, this.#nowMs());
  }

  async #give(asked: Asked): Promise<void> {
    const { key, query, request, response } = asked;
    const note = this.#folder.find(key);
    if (note === undefined) return answerFault(asked, 'NoSuchKey');
    const range = findByteRange(request.headers, note);
    if (range === 'beyond') return answerFault(asked, 'InvalidRange', { 'content-range': `bytes */${note.bytes}` });
    const { from, to } = range ?? { from: 0, to: note.bytes - 1 };
    response.writeHead(range === undefined ? 200 : 206, {
      ...headersOf(note, query),
      'content-length': to - from + 1,
      ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${note.bytes}` }),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const streams = this.#folder.bytesOf(note, from, to);
    try {
      await pipeline(oneAfterAnother(streams), response);
    } catch (error) {
      // A reader that goes away ends the stream, and there is nobody to tell.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    } finally {
      for (const stream of streams) stream.destroy();
    }
  }

  /** Stores an object that comes at once, or a part of one. */
  async #take(asked: Asked): Promise<void> {
    const { key, query, request, response } = asked;
    const length = Number(request.headers['content-length'] ?? Number.NaN);
    const uploadId = query.get('uploadId');
    const fault = uploadId === null ? faultOfBody(request, length) : this.#faultOfPart(asked, uploadId, length);
    if (fault !== undefined) return answerFault(asked, fault);
    const id = uploadId ?? this.#folder.begin(toHead(key, request));
    const name = uploadId === null ? '1' : (query.get('partNumber') ?? '');
    try {
      const part = await this.#folder.addPart(id, name, request);
      const told = request.headers['x-amz-checksum-crc32'];
      if (part.bytes !== length || (told !== undefined && told !== part.checksum)) {
        if (uploadId === null) this.#folder.abort(id);
        return answerFault(asked, 'BadDigest');
      }
      const etag = uploadId === null ? this.#folder.complete(id, [part], this.#nowMs()).etag : etagOf(id, part);
      const toPage = request.headers.origin === undefined ? {} : openToPages;
      const head = { etag, 'x-amz-checksum-crc32': part.checksum, 'content-length': 0 };
      response.writeHead(200, { ...head, ...toPage }).end();
    } catch (error) {
      if (uploadId === null) this.#folder.abort(id);
      throw error;
    }
  }

  async #copy(asked: Asked): Promise<void> {
    const { key, request, response } = asked;
    const [, bucket, ...rest] = String(request.headers['x-amz-copy-source']).split('/').map(unescaped);
    if (bucket !== this.#bucket) return answerFault(asked, 'NoSuchBucket');
    const copied = await this.#folder.copy(rest.join('/'), key, this.#nowMs());
    if (copied === undefined) return answerFault(asked, 'NoSuchKey');
    const told = `<LastModified>${new Date(copied.storedAtMs).toISOString()}</LastModified><ETag>${escapeXml(copied.etag)}</ETag>`;
    answerXml(response, 200, 'CopyObjectResult', told);
  }

  #faultOfPart({ key, query, request }: Asked, uploadId: string, length: number): ObjectFaultName | undefined {
    if (this.#folder.headOf(uploadId)?.key !== key) return 'NoSuchUpload';
    const number = query.get('partNumber') ?? '';
    if (!/^[1-9]\d{0,4}$/.test(number) || Number(number) > MOST_PARTS) return 'InvalidArgument';
    return faultOfBody(request, length);
  }

  #begin({ key, request, response }: Asked): void {
    const id = this.#folder.begin(toHead(key, request));
    const told = `<Bucket>${this.#bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`;
    answerXml(response, 200, 'InitiateMultipartUploadResult', told);
  }

  /** Lists the parts of an upload, all at once: nobody here has more than a thousand. */
  async #list(asked: Asked): Promise<void> {
    const { key, query, response } = asked;
    const uploadId = query.get('uploadId') ?? '';
    if (this.#folder.headOf(uploadId)?.key !== key) return answerFault(asked, 'NoSuchUpload');
    const parts = (await this.#folder.partsOf(uploadId)).map(
      (part) =>
        `<Part><PartNumber>${part.name}</PartNumber><ETag>${escapeXml(etagOf(uploadId, part))}</ETag><Size>${part.bytes}</Size></Part>`,
    );
    answerXml(response, 200, 'ListPartsResult', `<UploadId>${uploadId}</UploadId>${parts.join('')}`);
  }

  async #complete(asked: Asked): Promise<void> {
    const { key, query, request, response } = asked;
    const uploadId = query.get('uploadId') ?? '';
    const listed = partsIn(await readText(request));
    if (this.#folder.headOf(uploadId)?.key !== key) return answerFault(asked, 'NoSuchUpload');
    if (listed.length === 0) return answerFault(asked, 'MalformedXML');
    const parts: StoredPart[] = [];
    for (const [place, { name, etag }] of listed.entries()) {
      const bytes = await this.#folder.sizeOf(uploadId, name);
      if (bytes === undefined || etag !== etagOf(uploadId, { name, bytes })) return answerFault(asked, 'InvalidPart');
      if (Number(name) <= Number(parts.at(-1)?.name ?? 0)) return answerFault(asked, 'InvalidPartOrder');
      if (bytes < LEAST_PART_BYTES && place < listed.length - 1) return answerFault(asked, 'EntityTooSmall');
      parts.push({ name, bytes });
    }
    // Another call may have ended it meanwhile.
    if (this.#folder.headOf(uploadId) === undefined) return answerFault(asked, 'NoSuchUpload');
    const { etag } = this.#folder.complete(uploadId, parts, this.#nowMs());
    const told = `<Bucket>${this.#bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>${escapeXml(etag)}</ETag>`;
    answerXml(response, 200, 'CompleteMultipartUploadResult', told);
  }

  #remove(asked: Asked): void {
    const { key, query, response } = asked;
    const uploadId = query.get('uploadId');
    if (uploadId === null) this.#folder.remove(key);
    else if (this.#folder.headOf(uploadId)?.key === key) this.#folder.abort(uploadId);
    else return answerFault(asked, 'NoSuchUpload');
    response.writeHead(204).end();
  }
}

/** All callers of this machine have the same secret. */
function secretOf(_accessKeyId: string): string {
  return credentialsOf('stack').secretAccessKey;
}

function faultOfBody({ headers }: IncomingMessage, length: number): ObjectFaultName | undefined {
  if (!Number.isSafeInteger(length)) return 'MissingContentLength';
  if (length > MOST_BYTES) return 'EntityTooLarge';
  // Bytes with signatures between them, which nothing here sends.
  return headers['content-encoding']?.includes('aws-chunked') === true ? 'NotImplemented' : undefined;
}

function toHead(key: string, { headers }: IncomingMessage): ObjectHead {
  const prefix = 'x-amz-meta-';
  const told = Object.entries(headers).filter(([name]) => name.startsWith(prefix));
  const metadata = Object.fromEntries(told.map(([name, value]) => [name.slice(prefix.length), String(value)]));
  return { key, contentType: headers['content-type'] ?? 'application/octet-stream', metadata };
}

function headersOf(note: ObjectNote, query: URLSearchParams): Record<string, string> {
  const disposition = query.get('response-content-disposition');
  return {
    'accept-ranges': 'bytes',
    'content-type': query.get('response-content-type') ?? note.contentType,
    ...(disposition === null ? {} : { 'content-disposition': disposition }),
    etag: note.etag,
    'last-modified': new Date(note.storedAtMs).toUTCString(),
    ...Object.fromEntries(Object.entries(note.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  };
}

function etagOf(uploadId: string, { name, bytes }: StoredPart): string {
  return `"${uploadId}-${name}-${bytes}"`;
}

/** The parts that the last call of an upload lists. The SDK writes each as `<Part>` with its number and its ETag in it. */
function partsIn(xml: string): readonly { readonly name: string; readonly etag: string }[] {
  return [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    name: /<PartNumber>(\d{1,5})<\/PartNumber>/.exec(part)?.[1] ?? '0',
    etag: (/<ETag>([^<]*)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
  }));
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MOST_XML_BYTES) chunks.push(chunk);
  }
  return size > MOST_XML_BYTES ? '' : Buffer.concat(chunks).toString();
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
