import type { BinaryNode } from '@whiskeysockets/baileys';
import type { TalkedWith } from '../people/talkedWith.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import type { SocketCredentials } from '../signal/socketCredentials.ts';
import { toAppStateKeys } from '../wire/appStateKeys.ts';
import { isFromOwnAccount } from '../wire/envelope.ts';
import { toHistoryNotice } from '../wire/historyNotice.ts';
import { toMessageFacts, toNewsletterPost } from '../wire/messageFacts.ts';
import { toMessage, toPlaintext, type Plaintext } from '../wire/plaintext.ts';
import { toUnopened } from '../wire/unopened.ts';
import type { AppliedSettings } from './appliedSettings.ts';
import type { Placeholders } from './placeholders.ts';

export interface PublishedMessagesParts {
  readonly session: Pick<OpenSocketOptions['session'], 'keepPlaintext'>;
  readonly credentials: Pick<SocketCredentials, 'me' | 'storeAppStateKeys'>;
  readonly placeholders: Pick<Placeholders, 'stanzaOf'>;
  readonly settings: Pick<AppliedSettings, 'publish'>;
  readonly recordHistory: OpenSocketOptions['recordHistory'];
  readonly talkedWith: Pick<TalkedWith, 'note'>;
  /** Called when the phone has given this device keys of app state, and they are stored. */
  readonly keysCame: () => void;
}

/** Publishes messages, and keeps the ones that cannot be shown yet, before their receipts leave. */
export class PublishedMessages {
  readonly #parts: PublishedMessagesParts;

  constructor(parts: PublishedMessagesParts) {
    this.#parts = parts;
  }

  /**
   * Publishes a message that came sealed. Resolves when all that is in it is durable: only then may it be acknowledged.
   */
  async publishOpened(stanza: BinaryNode, padded: Uint8Array): Promise<void> {
    const { credentials, keysCame, recordHistory } = this.#parts;
    const me = credentials.me();
    // A message of anybody else is not decoded for app-state keys: what strangers seal costs one look at its fields.
    const own = isFromOwnAccount(stanza, me) ? toMessage(padded) : undefined;
    const keys = toAppStateKeys(stanza, own, me);
    await credentials.storeAppStateKeys(keys);
    if (Object.keys(keys).length > 0) keysCame();
    const history = toHistoryNotice(stanza, own, me);
    if (history !== undefined) await recordHistory(history, me);
    await this.#publish(stanza, toPlaintext(padded));
  }

  /**
   * Publishes a stanza that may bring the post of a newsletter, which nobody seals. Resolves when the post is durable.
   */
  async publishPost(stanza: BinaryNode): Promise<void> {
    const post = toNewsletterPost(stanza);
    if (post !== undefined) await this.#publish(stanza, post);
  }

  /** A stanza that may be of a message which stays closed to us for good. Resolves when that is durable. */
  async publishUnopened(stanza: BinaryNode): Promise<void> {
    const { credentials, settings } = this.#parts;
    const fact = toUnopened(stanza, credentials.me());
    if (fact !== undefined) await settings.publish([fact]);
  }

  async #publish(stanza: BinaryNode, plaintext: Plaintext): Promise<void> {
    const { session, credentials, placeholders, settings, talkedWith } = this.#parts;
    const told = toMessageFacts(stanza, plaintext, credentials.me(), placeholders.stanzaOf);
    // Nobody who wrote is a stranger, whatever the filters drop. It is noted beside, as no receipt need wait for it.
    const talked = told.map(({ fact }) => (fact.kind === 'message' ? [fact.chat, fact.chatAlias] : []));
    const noted = Promise.all(talked.map((addresses) => talkedWith.note(addresses)));
    const published = new Set(await settings.publish(told.map(({ fact }) => fact)));
    for (const { fact, unshown } of told) {
      if (unshown !== undefined && published.has(fact)) await session.keepPlaintext(fact.key, unshown);
    }
    await noted;
  }
}
