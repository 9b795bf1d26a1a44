import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { MOST_RETRIES, type PartsOfOurs } from '../repairs/baileysConfiguration.ts';
import { GroupMembers } from '../people/groupMembers.ts';
import type { Fate } from './inboundOrder.ts';
import { Repeats, type RepeatsParts } from './repeats.ts';
import { sharedCaches } from '../repairs/sharedCaches.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import { UnreadableMessages } from './unreadableMessages.ts';

export interface RetriesParts extends Pick<RepeatsParts, 'me' | 'otherNameOf' | 'welcome'> {
  readonly socket: () => Pick<
    ReturnType<typeof makeWASocket>,
    'groupMetadata' | 'sendMessageAck' | 'sendRetryRequest' | 'relayMessage'
  >;
}

/**
 * The messages that are sent again, both ways: the ones that others ask us for, and the ones that we ask others for.
 */
export class Retries {
  readonly members: GroupMembers;
  readonly #repeats: Repeats;
  readonly #unreadable: UnreadableMessages;
  /** The parts of it that Baileys gets. */
  readonly forBaileys: Pick<
    PartsOfOurs,
    'msgRetryCounterCache' | 'callOfferCache' | 'cachedGroupMetadata' | 'messageOf'
  >;

  constructor(options: OpenSocketOptions, { socket, ...parts }: RetriesParts) {
    const { config, clock, scope, connection } = options;
    this.members = new GroupMembers({
      ask: (group) => socket().groupMetadata(group),
      timeoutMs: Math.min(config.onlineQueryTimeoutMs, deadlines.groupMembers.ms),
      monotonicMs: clock.monotonicMs,
    });
    const { msgRetryCounterCache: counters, callOfferCache } = sharedCaches.of(connection.connectionId);
    this.#repeats = new Repeats(options, { ...parts, socket, members: this.members, counters });
    this.#unreadable = new UnreadableMessages(
      { ...options, signal: scope.signal },
      { socket, counters, mostRequests: MOST_RETRIES, isAnswering: this.#repeats.isAnswering },
    );
    this.forBaileys = {
      msgRetryCounterCache: this.#unreadable.counters,
      callOfferCache,
      cachedGroupMetadata: this.members.ask,
      messageOf: this.#repeats.messageOf,
    };
  }

  /** Called when Baileys is about to handle a message. */
  onMessage(stanza: BinaryNode): void {
    this.#unreadable.inHand(stanza);
  }

  /** Handles a request of somebody for a message. */
  onRequest(stanza: BinaryNode): Promise<Fate> {
    return this.#repeats.take(stanza);
  }
}
