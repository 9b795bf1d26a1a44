import {
  addTransactionCapability,
  DEFAULT_CONNECTION_CONFIG,
  type BinaryNode,
  type SignalKeyStore,
  type UserFacingSocketConfig,
} from '@whiskeysockets/baileys';
import { judgeFailure } from '../../../shared/platform/judgeFailure.ts';
import { baileysLogger } from '../repairs/baileysLogger.ts';
import { decodePadded } from '../wire/plaintext.ts';
import { isKeyForItsGroup } from './senderKeyRule.ts';

type MakeRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;
type Repository = ReturnType<MakeRepository>;
type Creds = Parameters<MakeRepository>[0]['creds'];
type InTurn = (group: string, author: string, work: () => Promise<void>) => Promise<void>;

/**
 * The greatest number of bytes of a sealed key: a key is 32 bytes and its signing key 33, with three numbers around
 * them.
 */
const LONGEST_KEY_BYTES = 1_024;

/**
 * Sender keys that come sealed inside other messages. Baileys takes one over after the step of the session that sealed it
 * has been committed: a process that dies in between has used the step up and has no key, and no redelivery brings it back;
 * every message of that sender to the group stays unreadable. Here it is stored while the step can still be taken again.
 *
 * Only the key of the group that the stanza came from is taken (`senderKeyRule`).
 *
 * It is stored through a transaction store of its own, so that it is durable before the transaction of the session is.
 */
export class SenderKeys {
  readonly #creds: Creds;
  readonly #store: SignalKeyStore;
  readonly #inTurn: InTurn;
  #failedCalls = 0;
  /** The store of keys; made for the first key that comes, as most accounts that are at rest never need it. */
  #made: { readonly keys: ReturnType<typeof addTransactionCapability>; readonly repository: Repository } | undefined;

  /**
   * The sender keys of one account.
   * @param inTurn runs work alone on the sender key of an author in a group
   */
  constructor(creds: Creds, keys: SignalKeyStore, inTurn: InTurn) {
    this.#creds = creds;
    this.#store = keys;
    this.#inTurn = inTurn;
  }

  /**
   * Stores the sender key in a decrypted message, if there is one for the group that it came from. Throws when the store
   * fails; nonsense in place of a key is ignored.
   * @param padded what the cipher gave
   */
  async learn({ attrs }: BinaryNode, padded: Uint8Array): Promise<void> {
    const message = decodePadded(padded);
    const item = (message?.deviceSentMessage?.message ?? message)?.senderKeyDistributionMessage;
    const { from, participant: authorJid } = attrs;
    if (!item?.groupId || authorJid === undefined || !isKeyForItsGroup(item.groupId, from)) return;
    // A member can seal anything as a key; a key that the store could not hold would come again for ever.
    if ((item.axolotlSenderKeyDistributionMessage?.length ?? 0) > LONGEST_KEY_BYTES) return;
    const group = item.groupId;
    const failed = this.#failedCalls;
    const { keys, repository } = this.#repositoryOf();
    try {
      await this.#inTurn(group, authorJid, () =>
        keys.transaction(
          () => repository.processSenderKeyDistributionMessage({ item, authorJid }),
          `${group}/${authorJid}`,
        ),
      );
    } catch (error) {
      if (this.#failedCalls > failed && judgeFailure(error) === 'passing') throw error;
    }
  }

  #repositoryOf() {
    if (this.#made !== undefined) return this.#made;
    const once = { maxCommitRetries: 1, delayBetweenTriesMs: 0 };
    const keys = addTransactionCapability(this.#counting(this.#store), baileysLogger, once);
    const creds = this.#creds;
    const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, baileysLogger);
    this.#made = { keys, repository };
    return this.#made;
  }

  /**
   * Marks failures of the store, to tell them from those of the key: only the former may have another outcome another
   * time.
   */
  #counting(keys: SignalKeyStore): SignalKeyStore {
    const failed = (error: unknown): never => {
      this.#failedCalls += 1;
      throw error;
    };
    return {
      get: async (type, ids) => Promise.resolve(keys.get(type, ids)).catch(failed),
      set: async (data) => Promise.resolve(keys.set(data)).catch(failed),
    };
  }
}
