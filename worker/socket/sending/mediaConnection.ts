import type { BinaryNode } from '@whiskeysockets/baileys';
import { HOST_CHARACTERS, MOST_HOSTS, TOKEN_CHARACTERS } from '../../../shared/media/sendJob.ts';
import { answerTo, type Answering } from '../port/answerTo.ts';
import type { MediaHosts } from '../port/connectionSocket.ts';
import { asLookUp, LookUpError, NO_NUMBER } from '../port/lookUpError.ts';

export interface MediaConnectionOptions extends Answering {
  /** Makes a tag for a query, as Baileys makes them. */
  readonly makeTag: () => string;
  readonly monotonicMs: () => number;
}

/** How long an answer is used, in seconds, at the least and at the most, whatever WhatsApp says. */
const [LEAST_SECONDS, MOST_SECONDS] = [10, 3_600] as const;

/** Where an account may upload files. WhatsApp is asked once, and again when the time of its answer is over. */
export class MediaConnection {
  readonly #options: MediaConnectionOptions;
  #known: { readonly hosts: MediaHosts; readonly untilMs: number } | undefined;

  constructor(options: MediaConnectionOptions) {
    this.#options = options;
  }

  /** Throws {@link LookUpError}. @param afresh whether the token of the last answer is not taken any more */
  async ask(afresh: boolean): Promise<MediaHosts> {
    const { makeTag, monotonicMs } = this.#options;
    if (!afresh && this.#known !== undefined && monotonicMs() < this.#known.untilMs) return this.#known.hosts;
    const query: BinaryNode = {
      tag: 'iq',
      attrs: { id: makeTag(), type: 'set', xmlns: 'w:m', to: 's.whatsapp.net' },
      content: [{ tag: 'media_conn', attrs: {} }],
    };
    const answer = await asLookUp('media', () => answerTo(this.#options, query));
    const told = readAnswer(answer);
    // An answer without hosts is one: nobody gives this account a place for its files.
    if (told === undefined) throw new LookUpError('media', NO_NUMBER);
    const { seconds, ...hosts } = told;
    this.#known = { hosts, untilMs: monotonicMs() + seconds * 1_000 };
    return hosts;
  }
}

/** The hosts and the token in an answer, and for how long they are good; undefined where it has none of use. */
export function readAnswer({ content }: BinaryNode): (MediaHosts & { readonly seconds: number }) | undefined {
  const [connection] = childrenOf(content, 'media_conn');
  if (connection === undefined) return undefined;
  const { auth: token = '', ttl, auth_ttl: authTtl } = connection.attrs;
  const hosts = childrenOf(connection.content, 'host')
    .map(({ attrs }) => attrs['hostname'] ?? '')
    .filter((name) => name !== '' && name.length <= HOST_CHARACTERS)
    .slice(0, MOST_HOSTS);
  if (token === '' || token.length > TOKEN_CHARACTERS || hosts.length === 0) return undefined;
  const told = [ttl, authTtl].map(Number).filter((seconds) => Number.isFinite(seconds));
  return { hosts, token, seconds: Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.min(...told, MOST_SECONDS))) };
}

function childrenOf(content: BinaryNode['content'], tag: string): readonly BinaryNode[] {
  return Array.isArray(content) ? content.filter((node) => node.tag === tag) : [];
}
