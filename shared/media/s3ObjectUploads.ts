import { request, type Dispatcher } from 'undici';
import { AppError } from '../kernel/appError.ts';
import { withDeadline } from '../kernel/deadline.ts';
import type { ObjectUploads, UploadedPart } from './objectUploads.ts';
import type { ObjectRequest, S3RequestSigner } from './s3RequestSigner.ts';

/** How long an address of a call of our own holds, in seconds: it is used at once. */
const OWN_SECONDS = 60;
/** The most of an answer that is read, in bytes: a list of a thousand parts is shorter. */
const ANSWER_BYTES = 512 * 1_024;

/**
 * Uploads into a bucket of S3. The few calls are made by addresses that it signs itself: no client of the SDK is loaded for them.
 * Each throws `store_unavailable` where S3 does not answer, or is out of order.
 */
export class S3ObjectUploads implements ObjectUploads {
  readonly #signer: S3RequestSigner;
  readonly #timeoutMs: number;

  /** @param timeoutMs the time limit of a call, in milliseconds */
  constructor(signer: S3RequestSigner, timeoutMs: number) {
    this.#signer = signer;
    this.#timeoutMs = timeoutMs;
  }

  addressOf(key: string, bytes: number, endsAfterSeconds: number): Promise<string> {
    return this.#signer.addressOf({ method: 'PUT', key, headers: sized(bytes) }, endsAfterSeconds);
  }

  addressOfPart(
    key: string,
    uploadId: string,
    { number, bytes }: Pick<UploadedPart, 'number' | 'bytes'>,
    endsAfterSeconds: number,
  ): Promise<string> {
    const query = { partNumber: String(number), uploadId };
    return this.#signer.addressOf({ method: 'PUT', key, query, headers: sized(bytes) }, endsAfterSeconds);
  }

  async begin(key: string): Promise<string> {
    const { status, text } = await this.#call({ method: 'POST', key, query: { uploads: '' } });
    const [, uploadId] = /<UploadId>([^<]+)<\/UploadId>/.exec(text) ?? [];
    if (status !== 200 || uploadId === undefined) throw new Error(`an upload could not begin: ${told(status, text)}`);
    return uploadId;
  }

  async listParts(key: string, uploadId: string): Promise<readonly UploadedPart[] | undefined> {
    const { status, text } = await this.#call({ method: 'GET', key, query: { uploadId } });
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`the parts of an upload could not be listed: ${told(status, text)}`);
    return [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      bytes: Number(/<Size>(\d+)<\/Size>/.exec(part)?.[1]),
      tag: (/<ETag>([^<]*)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"').replaceAll('&#34;', '"'),
    }));
  }

  async complete(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    const listed = parts.map(
      ({ number, tag }) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${tag.replaceAll('"', '&quot;')}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
    const { status, text } = await this.#call({ method: 'POST', key, query: { uploadId } }, body);
    // S3 begins to answer before it is done, so a failure may stand in an answer that is good by its status.
    if (status === 404 || (status === 200 && !text.includes('<Error>'))) return;
    throw new Error(`an upload could not be completed: ${told(status, text)}`);
  }

  async copy(from: string, to: string): Promise<'copied' | 'missing'> {
    const headers = { 'x-amz-copy-source': this.#signer.nameOf(from) };
    const { status, text } = await this.#call({ method: 'PUT', key: to, headers });
    if (status === 404) return 'missing';
    // S3 begins to answer before it is done.
    if (status === 200 && !text.includes('<Error>')) return 'copied';
    throw new Error(`an object could not be copied: ${told(status, text)}`);
  }

  async remove(key: string): Promise<void> {
    const { status, text } = await this.#call({ method: 'DELETE', key });
    if (status !== 204 && status !== 404) throw new Error(`an object could not be removed: ${told(status, text)}`);
  }

  async sizeOf(key: string): Promise<number | undefined> {
    const { status, text, bytes } = await this.#call({ method: 'HEAD', key });
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`an object could not be looked at: ${told(status, text)}`);
    return bytes;
  }

  async #call(asked: ObjectRequest, body?: string) {
    const address = await this.#signer.addressOf(asked, OWN_SECONDS);
    const answer = await withDeadline('S3 call', this.#timeoutMs, async (signal) => {
      const {
        statusCode,
        headers,
        body: rest,
      } = await request(address, {
        method: asked.method,
        signal,
        ...(asked.headers === undefined ? {} : { headers: asked.headers }),
        ...(body === undefined ? {} : { body }),
      });
      return { status: statusCode, bytes: Number(headers['content-length']), text: await readText(rest) };
    }).catch((cause: unknown) => {
      throw unavailable(cause);
    });
    if (answer.status >= 500 || answer.status === 429) throw unavailable(new Error(told(answer.status, answer.text)));
    return answer;
  }
}

function unavailable(cause: unknown): AppError {
  return new AppError('store_unavailable', { cause, retryAfterSeconds: 2 });
}

/** The signed size: S3 refuses a body of another one. */
function sized(bytes: number) {
  return { 'content-length': String(bytes) };
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let read = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    read += chunk.length;
    if (read > ANSWER_BYTES) throw new Error('the store of objects answers more than it should');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function told(status: number, text: string): string {
  return `${status} ${/<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? ''}`.trim();
}
