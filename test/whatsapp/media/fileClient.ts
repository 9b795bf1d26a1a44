import type { z } from 'zod';
import type { Post } from '../newsletters.ts';
import { until } from '../until.ts';
import type { sendingSchema } from './fileRoutes.ts';
import type { StoredFile } from './fileStore.ts';
import type { LoggedRequest, MediaStats } from './mediaLog.ts';
import type { outgoingFileSchema } from './outgoingFile.ts';
import type { FileComplaint, ShownFile } from './shownFile.ts';

type Call = <Answer>(method: string, path: string, body?: unknown) => Promise<Answer>;

/** What a phone sends: bytes or noise, and what its message says of them. */
export type SentFile = z.input<typeof outgoingFileSchema>;
type Sending = z.input<z.ZodObject<typeof sendingSchema>>;

/** Client of the control API for files: the phones' side of them, and the media hosts. */
export class FileClient {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Sends a file from a phone, to a number or a group. Returns the stanza id. */
  async send(number: string, to: string, media: SentFile, how: Omit<Sending, 'media'> = {}): Promise<string> {
    const body = { to, media, ...how };
    return (await this.#call<{ readonly id: string }>('POST', `/phones/${number}/messages`, body)).id;
  }

  /** Sends an album: its beginning, then its parts. Returns the stanza ids. */
  album(
    number: string,
    to: string,
    parts: readonly { readonly media: SentFile; readonly caption?: string }[],
    announced?: { readonly images: number; readonly videos: number },
  ): Promise<{ readonly id: string; readonly parts: readonly string[] }> {
    const body = { to, parts, ...(announced === undefined ? {} : { announced }) };
    return this.#call('POST', `/phones/${number}/albums`, body);
  }

  /** Posts a status update with a file from a phone. Returns the stanza id. */
  async status(number: string, to: readonly string[], media: SentFile, caption?: string): Promise<string> {
    const body = { to, media, ...(caption === undefined ? {} : { text: caption }) };
    return (await this.#call<{ readonly id: string }>('POST', `/phones/${number}/broadcasts`, body)).id;
  }

  /** A channel that an account follows brings a post with a file, which is not sealed. Returns the stanza id. */
  async post(number: string, newsletter: string, media: SentFile, caption?: string): Promise<string> {
    const body = { newsletter, media, ...(caption === undefined ? {} : { text: caption }) };
    return (await this.#call<{ readonly id: string }>('POST', `/phones/${number}/newsletter-posts`, body)).id;
  }

  /** What clients wrote into a channel, as its readers see it. */
  posts(newsletter: string): Promise<readonly Post[]> {
    return this.#call('GET', `/newsletters/${newsletter}/posts`);
  }

  /** The owner of a phone changes the own picture or that of a group; without a picture it is removed. */
  async setPicture(number: string, picture: Uint8Array | undefined, group?: string): Promise<void> {
    const data = picture === undefined ? {} : { data: Buffer.from(picture).toString('base64') };
    await this.#call('POST', `/phones/${number}/picture`, { ...data, ...(group === undefined ? {} : { group }) });
  }

  /** The owner of a phone shows the own picture to nobody else, or to all again. */
  async hidePicture(number: string, hidden: boolean): Promise<void> {
    await this.#call('POST', `/phones/${number}/picture`, { hidden });
  }

  /** The picture of an account (`digits@s.whatsapp.net`) or a group; undefined where it has none. */
  async pictureOf(target: string): Promise<Buffer | undefined> {
    const { data } = await this.#call<{ readonly data?: string }>('GET', `/pictures/${encodeURIComponent(target)}`);
    return data === undefined ? undefined : Buffer.from(data, 'base64');
  }

  /** What a phone shows of a file, once it has fetched and checked it. Throws after the deadline, 10 s by default. */
  opened(number: string, id: string, deadlineMs?: number): Promise<ShownFile> {
    return until(
      'the file',
      () => this.shown(number, id),
      ({ state }) => state !== 'opening',
      deadlineMs,
    );
  }

  /** What a phone shows of a file now. */
  shown(number: string, id: string): Promise<ShownFile> {
    return this.#call('GET', `/phones/${number}/files/${id}`);
  }

  /** What a phone finds wrong with files that it was sent. */
  complaints(
    number: string,
  ): Promise<readonly { readonly id: string; readonly complaints: readonly FileComplaint[] }[]> {
    return this.#call('GET', `/phones/${number}/complaints`);
  }

  /** The owner removes a file from the phone, which can no longer upload it again. */
  async remove(number: string, id: string): Promise<void> {
    await this.#call('DELETE', `/phones/${number}/files/${id}`);
  }

  /** A phone leaves larger files to its owner, who opens them with null: it answers when they are open. */
  async openUpTo(number: string, mostBytes: number | null): Promise<void> {
    await this.#call('POST', `/phones/${number}/downloads`, { mostBytes });
  }

  /** The phone has no connection until `connect`: it gets and answers nothing meanwhile. */
  async disconnect(number: string): Promise<void> {
    await this.#call('POST', `/phones/${number}/disconnect`);
  }

  async connect(number: string): Promise<void> {
    await this.#call('POST', `/phones/${number}/connect`);
  }

  /** WhatsApp has removed a file: its links are answered with 404 or 410. Returns how many links there were. */
  async expire(sealedSha256: string, status: 404 | 410 = 410): Promise<number> {
    const body = { sha256: sealedSha256, status };
    return (await this.#call<{ readonly places: number }>('POST', '/media/expire', body)).places;
  }

  /** Ends the upload tokens of an account, or all. Returns how many there were. */
  async revokeTokens(number?: string): Promise<number> {
    const body = number === undefined ? {} : { number };
    return (await this.#call<{ readonly tokens: number }>('POST', '/media/revoke-tokens', body)).tokens;
  }

  /** What the media hosts have counted. */
  stats(): Promise<MediaStats> {
    return this.#call('GET', '/media/stats');
  }

  /** The last requests that the media hosts got, oldest first. */
  requests(): Promise<readonly LoggedRequest[]> {
    return this.#call('GET', '/media/requests');
  }

  /** What lies on the media hosts. */
  stored(): Promise<readonly StoredFile[]> {
    return this.#call('GET', '/media/files');
  }
}
