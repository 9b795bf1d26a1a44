import { Agent, request, type Dispatcher } from 'undici';
import type { MediaFile } from '../../shared/content/mediaFile.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';

/** The reason why a file did not come. `passing`: it may come at another time. */
export type SourceFault = 'gone' | 'not_allowed' | 'no_place' | 'passing';

export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly fault: SourceFault;

  constructor(fault: SourceFault, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.fault = fault;
  }
}

export interface FileSourceOptions {
  /** Where WhatsApp's files lie, such as `https://mmg.whatsapp.net`. */
  readonly origin: string;
}

/** The names under which WhatsApp gives files out; a message may name another host, which is not asked. */
const HOSTS = /(?:^|\.)whatsapp\.net$/;
/** Whether a name is that of a host of WhatsApp's files. */
export const isHostOfWhatsApp = (hostname: string): boolean => HOSTS.test(hostname);
/** WhatsApp no longer has the file, or the time of the address is over. */
const GONE: ReadonlySet<number> = new Set([403, 404, 410]);
/** How often a file that breaks off is gone on with in one run. */
const RESUMES = 5;
const CONNECTIONS = 16;

/** WhatsApp's hosts of files, as one process asks them. No redirect is followed. */
export class FileSource {
  readonly #origin: string;
  readonly #agent = new Agent({
    connections: CONNECTIONS,
    connect: { timeout: deadlines.mediaHeaders.ms },
    headersTimeout: deadlines.mediaHeaders.ms,
    bodyTimeout: deadlines.mediaSilence.ms,
  });

  constructor({ origin }: FileSourceOptions) {
    this.#origin = origin;
  }

  /**
   * The bytes of a file as it lies at WhatsApp. A host that breaks off is asked for the rest, so a large file does not begin
   * anew; memory: one chunk. Throws {@link SourceError}.
   */
  async *read(file: Pick<MediaFile, 'path' | 'url'>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const url = addressOf(file, this.#origin);
    let read = 0;
    for (let resumes = 0; ; resumes += 1) {
      const answer = await this.#ask(url, read, signal);
      const expected = Number(answer.headers['content-length'] ?? Number.NaN);
      const from = read;
      let failure: unknown;
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          read += chunk.length;
          yield chunk;
        }
        if (Number.isNaN(expected) || read - from >= expected) return;
      } catch (error) {
        failure = error;
      }
      if (signal.aborted || resumes === RESUMES || read === from) {
        throw new SourceError('passing', 'the host broke off', { cause: failure });
      }
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #ask(url: URL, from: number, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const answer = await request(url, {
      dispatcher: this.#agent,
      signal,
      headers: {
        // The hosts give files to web clients alone.
        origin: 'https://web.whatsapp.com',
        'accept-encoding': 'identity',
        ...(from === 0 ? {} : { range: `bytes=${from}-` }),
      },
    }).catch((cause: unknown) => {
      throw new SourceError('passing', 'the host did not answer', { cause });
    });
    if (answer.statusCode === (from === 0 ? 200 : 206)) return answer;
    await answer.body.dump({ limit: 1_024, signal }).catch(() => undefined);
    throw new SourceError(GONE.has(answer.statusCode) ? 'gone' : 'passing', `the host answered ${answer.statusCode}`);
  }
}

/** The address of a file. A sender chose path and link, so only the host that we know, or one of its names, is asked. */
export function addressOf({ path, url }: Pick<MediaFile, 'path' | 'url'>, origin: string): URL {
  const known = new URL(origin);
  if (path !== undefined) {
    const address = URL.parse(`${origin}${path.startsWith('/') ? '' : '/'}${path}`);
    if (address?.origin === known.origin && address.username === '') return address;
  }
  if (path === undefined && url === undefined) throw new SourceError('no_place', 'the message names no address');
  const linked = url === undefined ? null : URL.parse(url);
  if (linked === null || linked.protocol !== 'https:' || linked.port !== '' || linked.username !== '') {
    throw new SourceError('not_allowed', 'the message names no address that may be asked');
  }
  if (!isHostOfWhatsApp(linked.hostname)) throw new SourceError('not_allowed', 'the host is none of WhatsApp');
  return linked;
}
