import {
  addTransactionCapability,
  DEFAULT_CONNECTION_CONFIG,
  proto,
  unpadRandomMax16,
  type BinaryNode,
  type SignalKeyStore,
  type UserFacingSocketConfig,
} from '@whiskeysockets/baileys';
import { baileysLogger } from './baileysLogger.ts';

type MakeRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;
type InTurn = (group: string, author: string, work: () => Promise<void>) => Promise<void>;
type Distribution = proto.Message.ISenderKeyDistributionMessage;

/**
 * Sender keys that come sealed inside other messages. Baileys takes one over after the step of the session that sealed it
 * has been committed: a process that dies in between has used the step up and has no key, and no redelivery brings it back;
 * every message of that sender to the group stays unreadable. Here it is stored while the step can still be taken again.
 *
 * It is stored through a transaction store of its own, so that it is durable before the transaction of the session is.
 */
export class SenderKeys {
  readonly #keys: ReturnType<typeof addTransactionCapability>;
  readonly #repository: ReturnType<MakeRepository>;
  readonly #inTurn: InTurn;
  /** The one that was taken over last: stanzas are handled one at a time. */
  #learned: string | undefined;

  /** @param inTurn runs work alone on the sender key of an author in a group */
  constructor(creds: Parameters<MakeRepository>[0]['creds'], keys: SignalKeyStore, inTurn: InTurn) {
    this.#keys = addTransactionCapability(keys, baileysLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 });
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys: this.#keys }, baileysLogger);
    this.#inTurn = inTurn;
  }

  /** Stores the sender key in a decrypted message, if there is one. @param padded what the cipher gave */
  async learn({ attrs }: BinaryNode, padded: Uint8Array): Promise<void> {
    const message = proto.Message.decode(unpadRandomMax16(padded));
    const item = (message.deviceSentMessage?.message ?? message).senderKeyDistributionMessage;
    const authorJid = attrs['participant'] ?? attrs['from'];
    if (!item?.groupId || authorJid === undefined) return;
    const group = item.groupId;
    await this.#inTurn(group, authorJid, () =>
      this.#keys.transaction(
        () => this.#repository.processSenderKeyDistributionMessage({ item, authorJid }),
        `${group}/${authorJid}`,
      ),
    );
    this.#learned = nameOf(item, authorJid);
  }

  /** Whether this is the one that was just taken over. A second time would only push older keys out of the record. */
  hasJustLearned(item: Distribution, authorJid: string): boolean {
    return this.#learned === nameOf(item, authorJid);
  }
}

function nameOf({ groupId, axolotlSenderKeyDistributionMessage }: Distribution, authorJid: string): string {
  const bytes = Buffer.from(axolotlSenderKeyDistributionMessage ?? []).toString('base64');
  return `${groupId ?? ''}/${authorJid}/${bytes}`;
}
