import { Agent, request, type Dispatcher } from 'undici';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { AddressRefusedError, type AddressGuard } from '../../shared/platform/addressGuard.ts';
import { namesOfLink, type LinkNames } from './linkNames.ts';

/** The reason why a link gave no file. `passing`: it may at another time. */
export type LinkRefusal = 'link_not_allowed' | 'link_refused' | 'link_too_large' | 'passing';

export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly refusal: LinkRefusal;

  constructor(refusal: LinkRefusal, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.refusal = refusal;
  }
}

/** What a link leads to. */
export interface LinkedFile extends LinkNames {
  /** The bytes as they come. Throws {@link LinkError}. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

const CONNECTIONS_PER_ORIGIN = 4;
const IDLE_SOCKET_MS = 4_000;
/** The most redirects that are followed. Source: Fetch Standard allows 20; stores of files need two or three. */
const REDIRECTS = 5;
/** Statuses of a host that may answer otherwise at another time, beside all from 500 on. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Links of tenants, as one process opens them. The guard judges every address that is dialled, after each redirect as well, and
 * the connection goes to the addresses that were judged. No cookie, key or name of ours is sent.
 */
export class LinkSource {
  readonly #guard: AddressGuard;
  readonly #mostBytes: number;
  readonly #agent: Agent;

  constructor({ guard, mostBytes }: { readonly guard: AddressGuard; readonly mostBytes: number }) {
    this.#guard = guard;
    this.#mostBytes = mostBytes;
    this.#agent = new Agent({
      connections: CONNECTIONS_PER_ORIGIN,
      keepAliveTimeout: IDLE_SOCKET_MS,
      connect: { lookup: guard.lookup, timeout: deadlines.mediaHeaders.ms },
      headersTimeout: deadlines.mediaHeaders.ms,
      bodyTimeout: deadlines.mediaSilence.ms,
    });
  }

  /** Opens a link. Throws {@link LinkError}. The caller reads the bytes to their end, or aborts. */
  async open(link: string, signal: AbortSignal): Promise<LinkedFile> {
    let address = link;
    for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
      const answer = await this.#ask(address, signal);
      const { statusCode: status, headers, body } = answer;
      if (status === 200) {
        const names = namesOfLink(address, headers);
        return { ...names, bytes: this.#read(answer) };
      }
      await body.dump({ limit: 1_024, signal }).catch(() => undefined);
      const next = status >= 300 && status < 400 ? URL.parse(String(headers['location'] ?? ''), address) : null;
      if (next === null) throw refusalOf(status);
      address = next.href;
    }
    throw new LinkError('link_refused', 'the link leads from one place to another without an end');
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #ask(address: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const refusal = this.#guard.refusalOfText(address);
    if (refusal !== undefined) throw new LinkError('link_not_allowed', refusal);
    return request(address, {
      dispatcher: this.#agent,
      signal,
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'holdfast' },
    }).catch((cause: unknown) => {
      const refused = findRefusal(cause);
      if (refused !== undefined && refused.refusal !== 'does_not_resolve') {
        throw new LinkError('link_not_allowed', refused.refusal, { cause });
      }
      throw new LinkError('passing', 'the host of the link did not answer', { cause });
    });
  }

  async *#read({ headers, body }: Dispatcher.ResponseData): AsyncGenerator<Uint8Array> {
    const encoding = headers['content-encoding'] ?? 'identity';
    const expected = Number(headers['content-length'] ?? Number.NaN);
    try {
      if (encoding !== 'identity') throw new LinkError('link_refused', 'the host packs the bytes');
      if (expected > this.#mostBytes) throw new LinkError('link_too_large', 'the host says so');
      let read = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        read += chunk.length;
        if (read > this.#mostBytes) throw new LinkError('link_too_large', 'more bytes came than may');
        yield chunk;
      }
      if (read === 0) throw new LinkError('link_refused', 'the file is empty');
    } catch (error) {
      if (error instanceof LinkError) throw error;
      throw new LinkError('passing', 'the host of the link broke off', { cause: error });
    } finally {
      // A reader that wants no more ends the exchange, and nobody waits for what that says.
      body.on('error', () => undefined).destroy();
    }
  }
}

function refusalOf(status: number): LinkError {
  const passing = status >= 500 || PASSING.has(status);
  return new LinkError(passing ? 'passing' : 'link_refused', `the host of the link answered ${status}`);
}

/** The refusal of the guard, which the network connection wraps. */
function findRefusal(error: unknown): AddressRefusedError | undefined {
  for (let [cause, depth] = [error, 0]; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof AddressRefusedError) return cause;
  }
  return undefined;
}
