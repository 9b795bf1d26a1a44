import { Agent, request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { SentUse } from '../../../shared/media/sentUse.ts';
import { isHostOfWhatsApp } from '../fileSource.ts';

/** What became of an upload. */
export type UploadAnswer =
  /** `handle` is that of a file of channels. */
  | { readonly answer: 'taken'; readonly url: string; readonly directPath: string; readonly handle?: string }
  /** WhatsApp does not take the token any more. */
  | { readonly answer: 'token_refused' }
  /** All hosts have refused the file itself. */
  | { readonly answer: 'refused'; readonly status: number }
  /** It may be taken at another time. */
  | { readonly answer: 'again'; readonly error: unknown };

/** A file that is to be uploaded: sealed, or as it is. */
export interface FileUpload {
  readonly as: SentUse | 'sticker_pack_cover';
  /** Whether it is not sealed, for channels. */
  readonly plain: boolean;
  /** SHA-256 of what is uploaded, in base64, and its length. */
  readonly sha256: string;
  readonly length: number;
  /** Gives its bytes, from the beginning, each time that it is called. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
}

/** The names under which files are uploaded (Baileys, `MEDIA_PATH_MAP`; whatsmeow, `mediaTypeToMMSType`). */
const folders = {
  image: 'image',
  video: 'video',
  gif: 'video',
  video_note: 'video',
  audio: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'image',
  sticker_pack: 'sticker-pack',
  sticker_pack_cover: 'thumbnail-sticker-pack',
} as const satisfies Readonly<Record<FileUpload['as'], string>>;

/**
 * The same for files of channels: the names that WhatsApp's web client has for them (`WAServerMediaType`). It has none for round films, which whatsmeow
 * uploads as films.
 */
const plainFolders = {
  image: 'newsletter-image',
  video: 'newsletter-video',
  gif: 'newsletter-gif',
  video_note: 'newsletter-video',
  audio: 'newsletter-audio',
  voice: 'newsletter-ptt',
  document: 'newsletter-document',
  sticker: 'newsletter-sticker',
  sticker_pack: 'newsletter-sticker-pack',
  sticker_pack_cover: 'newsletter-thumbnail-sticker-pack',
} as const satisfies Readonly<Record<FileUpload['as'], string>>;

/** What a host says that took a file. */
const placeSchema = z.object({
  url: z.url({ protocol: /^https$/ }).max(2_048),
  direct_path: z.string().startsWith('/').max(2_048),
  handle: z.string().min(1).max(4_096).optional(),
});
const ANSWER_BYTES = 65_536;
const CONNECTIONS = 16;

/** WhatsApp's hosts of files, as one process uploads to them. No redirect is followed. */
export class FileHosts {
  readonly #origin: string;
  readonly #agent = new Agent({
    connections: CONNECTIONS,
    connect: { timeout: deadlines.mediaHeaders.ms },
    // A host answers when it has read the file to its end.
    headersTimeout: deadlines.mediaTaken.ms,
    bodyTimeout: deadlines.mediaSilence.ms,
  });

  /** @param options.origin where WhatsApp's files lie, which says whether its hosts are those of a simulator */
  constructor({ origin }: { readonly origin: string }) {
    this.#origin = origin;
  }

  /** Uploads a file: the hosts are asked one after the other, until one has taken it. Rejects only when the signal aborts. */
  async upload(
    { hosts, token }: { readonly hosts: readonly string[]; readonly token: string },
    file: FileUpload,
    signal: AbortSignal,
  ): Promise<UploadAnswer> {
    const answers: UploadAnswer[] = [];
    for (const host of hosts) {
      const address = uploadAddressOf(host, file, this.#origin);
      if (address === undefined) continue;
      // The token stands in the address, so no error of the client is passed on as it is.
      address.searchParams.set('auth', token);
      const answer = await this.#ask(address, file, signal);
      if (answer.answer === 'taken' || answer.answer === 'token_refused') return answer;
      signal.throwIfAborted();
      answers.push(answer);
    }
    // A host that may take it later counts for more than one that refuses it.
    const best = answers.find(({ answer }) => answer === 'again') ?? answers.at(0);
    return best ?? { answer: 'again', error: new Error('no host of files may be asked') };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #ask(address: URL, file: FileUpload, signal: AbortSignal): Promise<UploadAnswer> {
    try {
      const answer = await request(address, {
        method: 'POST',
        dispatcher: this.#agent,
        signal,
        headers: {
          // The hosts take files from web clients alone.
          origin: 'https://web.whatsapp.com',
          'content-type': 'application/octet-stream',
          'content-length': String(file.length),
        },
        body: file.bytes() as unknown as Dispatcher.DispatchOptions['body'] & object,
      });
      return await readAnswer(answer, file, signal);
    } catch (error) {
      return { answer: 'again', error: new Error('a host of files did not answer', { cause: codeOf(error) }) };
    }
  }
}

async function readAnswer(
  { statusCode: status, body }: Dispatcher.ResponseData,
  { plain }: Pick<FileUpload, 'plain'>,
  signal: AbortSignal,
): Promise<UploadAnswer> {
  if (status === 200) {
    const place = placeSchema.safeParse(await readJson(body));
    if (place.success && (!plain || place.data.handle !== undefined)) {
      const { url, direct_path: directPath, handle } = place.data;
      return { answer: 'taken', url, directPath, ...(plain && handle !== undefined ? { handle } : {}) };
    }
    return { answer: 'again', error: new Error('a host of files took a file and named no place') };
  }
  await body.dump({ limit: ANSWER_BYTES, signal }).catch(() => undefined);
  if (status === 401 || status === 403) return { answer: 'token_refused' };
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return isFinal
    ? { answer: 'refused', status }
    : { answer: 'again', error: new Error(`a host of files answered ${status}`) };
}

/** The answer of a host, as far as it may be long. */
async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The code of an error, which tells all that matters; the error itself may quote the address. */
function codeOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  const told = [code, name].find((one) => typeof one === 'string');
  return typeof told === 'string' ? told : 'unknown';
}

/** The address at which a host takes a file, without the token; undefined for a host that is none of WhatsApp. */
export function uploadAddressOf(
  host: string,
  { as, plain, sha256 }: Pick<FileUpload, 'as' | 'plain' | 'sha256'>,
  origin: string,
): URL | undefined {
  const known = new URL(origin);
  const base = URL.parse(`${known.protocol}//${host}`);
  if (base === null || base.host !== host.toLowerCase() || base.pathname !== '/') return undefined;
  // A simulator has two hosts on one machine, and speaks without TLS.
  const isKnown =
    known.protocol === 'http:' ? base.hostname === known.hostname : base.port === '' && isHostOfWhatsApp(base.hostname);
  if (!isKnown) return undefined;
  const name = Buffer.from(sha256, 'base64').toString('base64url');
  base.pathname = plain ? `/newsletter/${plainFolders[as]}/${name}` : `/mms/${folders[as]}/${name}`;
  base.searchParams.set('token', name);
  return base;
}
