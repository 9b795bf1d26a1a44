import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { isPerson } from '../../../shared/kernel/jid.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';

/** The fields that name a message to Baileys. */
export interface ReadKey {
  readonly remoteJid: string;
  readonly id: string;
  readonly participant?: string;
  readonly fromMe: false;
}

export interface ReadReceiptsDependencies extends Pick<Surroundings, 'logger' | 'metrics'> {
  /** Resolves when every stanza that has come so far is handled. */
  readonly handled: () => Promise<void>;
  readonly read: (keys: readonly ReadKey[]) => Promise<void>;
}

/** The number of messages that may wait to be marked as read, and how many are named in one receipt. */
const MOST_WAITING = 1_000;
const BATCH = 100;
const DEADLINE_MS = 20_000;

/**
 * Marks messages as read, in the order in which they came, each after its event is durable and after its receipt of delivery.
 * It is a courtesy: a message whose receipt is lost stays unread, and that is counted.
 */
export class ReadReceipts {
  readonly #dependencies: ReadReceiptsDependencies;
  readonly #waiting: ReadKey[] = [];
  #isSending = false;
  #ended = false;

  constructor(dependencies: ReadReceiptsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Adds the messages of others among these facts. Never waits. */
  add(facts: readonly Fact[]): void {
    const keys = facts.flatMap(toKey);
    if (keys.length === 0 || this.#ended) return;
    this.#waiting.push(...keys);
    const tooMany = this.#waiting.length - MOST_WAITING;
    if (tooMany > 0) this.#lose(this.#waiting.splice(0, tooMany).length);
    if (!this.#isSending) void this.#send();
  }

  /** Ends everything because the socket has closed: waiting messages stay unread. */
  end(): void {
    this.#ended = true;
    this.#lose(this.#waiting.splice(0).length);
  }

  async #send(): Promise<void> {
    const { handled, read, logger } = this.#dependencies;
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      await handled();
      const batch = this.#waiting.splice(0, BATCH);
      if (batch.length === 0) break;
      try {
        await withDeadline('marking messages as read', DEADLINE_MS, () => read(batch));
      } catch (error) {
        logger.warn('messages not marked as read', { count: batch.length, error });
        this.#lose(batch.length);
      }
    }
    this.#isSending = false;
  }

  #lose(count: number): void {
    if (count > 0) this.#dependencies.metrics.count('ReadReceiptsLost', {}, count);
  }
}

/**
 * The key of a message in a chat with a person or a group; status updates and newsletters know no such mark, or tell
 * their author who looked.
 */
function toKey(fact: Fact): readonly ReadKey[] {
  if (fact.kind !== 'message' || fact.fromMe) return [];
  const { chat, sender, stanzaId } = fact;
  if (chat.endsWith('@g.us')) return [{ remoteJid: chat, id: stanzaId, participant: sender, fromMe: false }];
  return isPerson(chat) ? [{ remoteJid: chat, id: stanzaId, fromMe: false }] : [];
}
