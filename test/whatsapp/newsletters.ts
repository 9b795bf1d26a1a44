import { decodePlaintext, contentOf, type ContentKind } from './content.ts';
import type { FileComplaint, ShownFile } from './media/shownFile.ts';
import { fileKinds } from './media/fileKinds.ts';
import type { PhoneFiles } from './media/phoneFiles.ts';
import { bytesOf, child, node, stamp, type BinaryNode } from './node.ts';
import type { Account } from './world.ts';

/** A post that a client wrote into a channel, as its readers see it. */
export interface Post {
  readonly id: string;
  readonly newsletter: string;
  readonly serverId: string;
  /** The number of the account that wrote it. */
  readonly by: string;
  readonly kind: ContentKind;
  readonly text: string;
  readonly stanzaType: string;
  readonly edit: string | undefined;
  /** When it was written, in seconds since 1970. */
  readonly at: string;
  media: ShownFile | undefined;
}

/** The number of a channel's first post, as the server counts them. */
const FIRST = 100;
const MOST_POSTS = 1_000;

/** Channels: anybody may write into any here. What is written is not sealed; its files are uploaded as they are. */
export class Newsletters {
  readonly #files: PhoneFiles;
  readonly #posts: Post[] = [];
  readonly #plaintexts = new WeakMap<Post, Buffer>();
  /** Files that are still being checked. */
  readonly #work = new Set<Promise<void>>();

  constructor(files: PhoneFiles) {
    this.#files = files;
  }

  /** A client writes into a channel. Returns the ack: an error when the message is sealed, or is none. */
  accept(account: Account, message: BinaryNode): BinaryNode {
    const { id = '', to = '', type = '', edit, media_id: handle } = message.attrs;
    const ack = { class: 'message', id, from: to, t: stamp() };
    const plaintext = bytesOf(message, 'plaintext');
    const decoded = plaintext === undefined ? undefined : decodePlaintext(plaintext);
    const content = decoded && contentOf(decoded, plaintext);
    if (decoded === undefined || content === undefined) return node('ack', { ...ack, error: '400' });
    const serverId = String(FIRST + this.#posts.filter(({ newsletter }) => newsletter === to).length);
    const { kind, text, media } = content;
    const said = { kind, text, stanzaType: type, edit, at: ack.t, media };
    const post: Post = { id, newsletter: to, serverId, by: account.number, ...said };
    this.#posts.push(post);
    this.#plaintexts.set(post, plaintext ?? Buffer.alloc(0));
    if (this.#posts.length > MOST_POSTS) this.#posts.shift();
    if (media !== undefined) {
      const work = this.#files.open(decoded, true).then((verdict) => {
        const isNamed = handle !== undefined && this.#files.handleOf(media.directPath) === handle;
        const complaints: readonly FileComplaint[] = [
          ...verdict.complaints,
          ...(isNamed ? [] : ['no_handle' as const]),
          ...(saysWhatItIs(message, media.kind) ? [] : ['no_media_type' as const]),
        ];
        post.media = { ...media, ...verdict, complaints, state: complaints.length === 0 ? 'opened' : 'unopened' };
        this.#work.delete(work);
      });
      this.#work.add(work);
    }
    return node('ack', { ...ack, server_id: serverId });
  }

  /** The posts of a channel, oldest first. */
  posts(newsletter: string): readonly Post[] {
    return this.#posts.filter((post) => post.newsletter === newsletter);
  }

  /** A post as its writer wrote it. */
  plaintextOf(post: Post): Buffer {
    return this.#plaintexts.get(post) ?? Buffer.alloc(0);
  }

  /** Waits until no file is being checked. */
  async quiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}

/** Whether the stanza of a post says which kind of file it brings, as the stanzas of chats do in their sealed parts. */
function saysWhatItIs(message: BinaryNode, kind: ShownFile['kind']): boolean {
  const said = child(message, 'plaintext')?.attrs['mediatype'];
  return message.attrs['type'] === 'media' && said === fileKinds[kind].mediaType;
}
