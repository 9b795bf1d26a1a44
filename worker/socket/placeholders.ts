import { PLACEHOLDER_MAX_AGE_SECONDS, proto, type BinaryNode, type makeWASocket } from '@whiskeysockets/baileys';
import type { Clock } from '../../shared/kernel/clock.ts';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { makeStanzaId } from '../../shared/kernel/id.ts';
import { isPerson } from '../../shared/kernel/jid.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { addressOf, type Me } from './facts/envelope.ts';

/** The message itself often follows its placeholder: as long as Baileys waits (messages-recv.js). */
const PATIENCE_MS = 2_000;
/** Stanzas whose answer may still come; older ones are published with what the phone says about them. */
const REMEMBERED = 1_000;
/** Whose content the phone will not give, as in Baileys. */
const NOT_GIVEN: ReadonlySet<string | undefined> = new Set([
  'bot_unavailable_fanout',
  'hosted_unavailable_fanout',
  'view_once_unavailable_fanout',
  'view_once',
]);

export interface PlaceholderOptions {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'relayMessage' | 'sendMessageAck'>;
  readonly acknowledgements: Acknowledgements;
  readonly serverAckTimeoutMs: number;
  readonly me: () => Me;
  /** Resolves when the offline queue is drained: nothing may be encrypted before. */
  readonly caughtUp: Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Aborts when the socket has closed. */
  readonly signal: AbortSignal;
}

/**
 * Messages that came without their content (`<unavailable/>`): our own phone has it and is asked for it. Baileys
 * acknowledges such a stanza first and asks seconds later, so that a socket which is cut in between loses the message. Here
 * the stanza is acknowledged when WhatsApp has the request. Before that it comes again at the next login; after that both
 * the request and the answer wait in WhatsApp's queues.
 */
export class Placeholders {
  readonly #options: PlaceholderOptions;
  /** By sender and stanza id. A value resolves when the message has come after all. */
  readonly #awaited = new Map<string, PromiseWithResolvers<'came'>>();
  readonly #stanzas = new Map<string, BinaryNode>();

  constructor(options: PlaceholderOptions) {
    this.#options = options;
  }

  /** Takes a stanza over when it is a placeholder to ask for; notes that a message has come when it is none. */
  take(stanza: BinaryNode): 'taken' | undefined {
    const { id = '', from = '', participant = '' } = stanza.attrs;
    const key = `${from}/${participant}/${id}`;
    if (!isToAskFor(stanza, this.#options.clock.nowMs())) {
      this.#awaited.get(key)?.resolve('came');
      return undefined;
    }
    this.#remember(id, stanza);
    this.#complete(key, stanza).catch((error: unknown) =>
      this.#options.logger.warn('placeholder not asked for', { stanzaId: id, error }),
    );
    return 'taken';
  }

  /** The stanza of a placeholder, for the facts of its content. */
  readonly stanzaOf = (id: string): BinaryNode | undefined => this.#stanzas.get(id);

  async #complete(key: string, stanza: BinaryNode): Promise<void> {
    const { socket, caughtUp, clock, signal } = this.#options;
    // Brought twice: one request is enough, and each copy is acknowledged.
    const awaited = this.#awaited.get(key) ?? Promise.withResolvers<'came'>();
    const isFirst = !this.#awaited.has(key);
    this.#awaited.set(key, awaited);
    try {
      await withDeadline('the end of the offline queue', deadlines.offlineQueue.ms, () => caughtUp);
      const came = await Promise.race([awaited.promise, clock.sleep(PATIENCE_MS, signal)]);
      if (came !== 'came' && isFirst) await this.#ask(stanza);
      await withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () => socket.sendMessageAck(stanza));
    } finally {
      if (isFirst) this.#awaited.delete(key);
    }
  }

  async #ask(stanza: BinaryNode): Promise<void> {
    const { socket, acknowledgements, serverAckTimeoutMs, me, random } = this.#options;
    const requestId = makeStanzaId(random);
    const acknowledged = acknowledgements.expect(requestId);
    try {
      await withDeadline('asking the phone for a message', deadlines.send.ms, () =>
        socket.relayMessage(me().phoneJid, toRequest(stanza, me()), {
          messageId: requestId,
          additionalAttributes: { category: 'peer', push_priority: 'high_force' },
          additionalNodes: [{ tag: 'meta', attrs: { appdata: 'default' } }],
        }),
      );
      const error = await withDeadline('the ack of WhatsApp', serverAckTimeoutMs, () => acknowledged);
      if (error !== undefined) throw new Error(`WhatsApp refused the request with ${error}`);
    } catch (error) {
      if (error instanceof TimeoutError) acknowledgements.giveUp(requestId);
      throw error;
    } finally {
      acknowledgements.forget(requestId);
    }
  }

  #remember(id: string, stanza: BinaryNode): void {
    this.#stanzas.set(id, stanza);
    const oldest = this.#stanzas.size > REMEMBERED ? this.#stanzas.keys().next().value : undefined;
    if (oldest !== undefined) this.#stanzas.delete(oldest);
  }
}

function isToAskFor({ attrs, content }: BinaryNode, nowMs: number): boolean {
  const { from = '', category, t } = attrs;
  const parts = Array.isArray(content) ? content : [];
  const isInGroup = from.endsWith('@g.us') && attrs['participant'] !== undefined;
  if (category === 'peer' || !(isPerson(from) || isInGroup)) return false;
  if (parts.some(({ tag }) => tag === 'enc' || tag === 'plaintext')) return false;
  if (NOT_GIVEN.has(parts.find(({ tag }) => tag === 'unavailable')?.attrs['type'] ?? '')) return false;
  return nowMs - Number(t ?? 0) * 1_000 <= PLACEHOLDER_MAX_AGE_SECONDS * 1_000;
}

function toRequest(stanza: BinaryNode, me: Me): proto.IMessage {
  const { chat, fromMe, stanzaId } = addressOf(stanza, me);
  const { participant } = stanza.attrs;
  const messageKey = { remoteJid: chat, fromMe, id: stanzaId, ...(participant === undefined ? {} : { participant }) };
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_MESSAGE,
      peerDataOperationRequestMessage: {
        peerDataOperationRequestType: proto.Message.PeerDataOperationRequestType.PLACEHOLDER_MESSAGE_RESEND,
        placeholderMessageResendRequest: [{ messageKey }],
      },
    },
  };
}
