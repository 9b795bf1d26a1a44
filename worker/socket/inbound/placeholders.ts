import { PLACEHOLDER_MAX_AGE_SECONDS, proto, type BinaryNode, type makeWASocket } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { makeStanzaId } from '../../../shared/kernel/id.ts';
import { isPerson, withoutDevice } from '../../../shared/kernel/jid.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { Acknowledgements } from '../sending/acknowledgements.ts';
import { Budgets } from '../port/budgets.ts';
import { FairRoom } from '../port/fairRoom.ts';
import { addressOf, type Me } from '../wire/envelope.ts';
import { stanzaHead } from '../wire/stanzaHead.ts';
import { closedBy } from '../wire/unopened.ts';

/**
 * How long the message itself is waited for, in milliseconds. It often follows its placeholder; Baileys waits as long
 * (messages-recv.js).
 */
const PATIENCE_MS = 2_000;
/**
 * The number of requests to the phone that one sender can cause: as many as for messages that cannot be decrypted.
 * Otherwise a person who sends stanzas with nothing in them would make us write to the phone as fast as they can send.
 */
const BUDGET = { burst: 50, perSecond: 1 } as const;
/** The number of stanzas that may wait, of one sender and of all. */
const MOST_WAITING = { ofOne: 1_000, ofAll: 5_000 } as const;
/** The number of stanzas whose answer may still come; older ones are published with what the phone says about them. */
const REMEMBERED = 1_000;
export interface PlaceholderOptions extends Surroundings {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'relayMessage' | 'sendMessageAck'>;
  readonly acknowledgements: Acknowledgements;
  readonly serverAckTimeoutMs: number;
  readonly me: () => Me;
  /** Resolves when the offline queue is drained: nothing may be encrypted before. */
  readonly caughtUp: Promise<void>;
  /** Aborts when the socket has closed. */
  readonly signal: AbortSignal;
}

interface AwaitedMessage {
  /** Resolves when the message has come after all. */
  readonly came: PromiseWithResolvers<'came'>;
  /** Resolves when nothing more is done about it: `done` when its stanzas may be acknowledged. */
  readonly ended: PromiseWithResolvers<'done' | 'undone'>;
}

/**
 * Messages that came without their content (`<unavailable/>`): our own phone has it and is asked for it. Baileys
 * acknowledges such a stanza first and asks seconds later, so that a socket which is cut in between loses the message. Here
 * the stanza is acknowledged when WhatsApp has the request. Before that it comes again at the next login; after that both
 * the request and the answer wait in WhatsApp's queues.
 */
export class Placeholders {
  readonly #options: PlaceholderOptions;
  /** The awaited messages by sender and stanza id. */
  readonly #awaited = new Map<string, AwaitedMessage>();
  readonly #stanzas = new Map<string, BinaryNode>();
  readonly #budgets: Budgets;
  /** The promises that end the wait of a stanza for which there is no room any more, by sender. */
  readonly #waiting = new FairRoom<PromiseWithResolvers<'no_room'>>(MOST_WAITING);
  /** Requests leave one at a time: what is sent to others needs the same session of our phone in between. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: PlaceholderOptions) {
    this.#options = options;
    this.#budgets = new Budgets(BUDGET, options.clock.monotonicMs);
  }

  /** Takes a stanza over when it is a placeholder to ask for; otherwise notes that a message has come. */
  take(stanza: BinaryNode): 'taken' | undefined {
    const { id = '', from = '', participant = '' } = stanza.attrs;
    const key = `${from}/${participant}/${id}`;
    if (!isToAskFor(stanza, this.#options.clock.nowMs())) {
      this.#awaited.get(key)?.came.resolve('came');
      return undefined;
    }
    const head = stanzaHead(stanza);
    const sender = withoutDevice(participant || from);
    const work = head === undefined ? this.#giveUp(stanza) : this.#waitFor(key, sender, head);
    work.catch((error: unknown) => this.#options.logger.warn('placeholder not asked for', { stanzaId: id, error }));
    return 'taken';
  }

  /** The stanza of a placeholder, for the facts of its content. */
  readonly stanzaOf = (id: string): BinaryNode | undefined => this.#stanzas.get(id);

  /** Acknowledges a stanza without a request: WhatsApp would bring it again for ever. */
  async #giveUp(stanza: BinaryNode): Promise<void> {
    this.#options.metrics.count('UnreadableMessages', { outcome: 'given_up' });
    await this.#acknowledge(stanza);
  }

  /** Handles a stanza, as long as there is room for it beside those of others. */
  async #waitFor(key: string, sender: string, stanza: BinaryNode): Promise<void> {
    const room = Promise.withResolvers<'no_room'>();
    const displaced = this.#waiting.enter(sender, room);
    displaced?.resolve('no_room');
    if (displaced === room) return this.#giveUp(stanza);
    this.#remember(stanza.attrs['id'] ?? '', stanza);
    try {
      await this.#complete(key, sender, stanza, room.promise);
    } finally {
      this.#waiting.leave(sender, room);
    }
  }

  async #complete(key: string, sender: string, stanza: BinaryNode, noRoom: Promise<'no_room'>): Promise<void> {
    const before = this.#awaited.get(key);
    if (before !== undefined) {
      // A stanza that is brought twice needs one request, and each copy is acknowledged when that has left.
      if ((await Promise.race([before.ended.promise, noRoom])) !== 'undone') await this.#acknowledge(stanza);
      return;
    }
    const awaited = { came: Promise.withResolvers<'came'>(), ended: Promise.withResolvers<'done' | 'undone'>() };
    this.#awaited.set(key, awaited);
    let seen: 'came' | 'asked' | 'no_room' | undefined;
    try {
      seen = await this.#see(sender, stanza, Promise.race([awaited.came.promise, noRoom]));
    } finally {
      awaited.ended.resolve(seen === undefined ? 'undone' : 'done');
      this.#awaited.delete(key);
    }
    await (seen === 'no_room' ? this.#giveUp(stanza) : this.#acknowledge(stanza));
  }

  /**
   * Resolves to the reason why nothing more is to be done: the message has come after all, the request has left, or
   * there is no room.
   */
  async #see<Why extends string>(sender: string, stanza: BinaryNode, ended: Promise<Why>): Promise<Why | 'asked'> {
    const { caughtUp, clock, signal } = this.#options;
    await withDeadline('the end of the offline queue', deadlines.offlineQueue.ms, () => caughtUp);
    for (let waitMs = PATIENCE_MS; waitMs > 0; waitMs = this.#waitOf(sender)) {
      const why = await Promise.race([ended, clock.sleep(waitMs, signal)]);
      if (why !== undefined) return why;
      if (signal.aborted) abandoned();
    }
    await this.#inTurn(() => this.#ask(stanza));
    return 'asked';
  }

  /**
   * How long a sender must wait before one more request, in milliseconds; with 0 the request is taken from the budget,
   * for now.
   */
  #waitOf(sender: string): number {
    return this.#budgets.take(sender) ? 0 : Math.max(1, this.#budgets.waitMs(sender));
  }

  #acknowledge(stanza: BinaryNode): Promise<void> {
    const { socket } = this.#options;
    return withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () => socket.sendMessageAck(stanza));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(() => (this.#options.signal.aborted ? abandoned() : work()));
    this.#turn = done.catch(() => undefined);
    return done;
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

function abandoned(): never {
  throw new Error('the socket has closed');
}

function isToAskFor(stanza: BinaryNode, nowMs: number): boolean {
  const { attrs, content } = stanza;
  const { from = '', category, t } = attrs;
  const parts = Array.isArray(content) ? content : [];
  const isInGroup = from.endsWith('@g.us') && attrs['participant'] !== undefined;
  if (category === 'peer' || !(isPerson(from) || isInGroup)) return false;
  if (parts.some(({ tag }) => tag === 'enc' || tag === 'plaintext')) return false;
  if (closedBy(stanza) !== undefined) return false;
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
