import { Mutex } from 'async-mutex';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { PauseCode } from '../../shared/connection/sendsPause.ts';
import { waitUntil } from '../../shared/kernel/clock.ts';
import type { MessageId } from '../../shared/kernel/id.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { SendErrorCode } from '../../shared/message/sendError.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { LookUp, SendingSocket } from '../socket/port/connectionSocket.ts';
import { ChatHolds } from './chatHolds.ts';
import { LookUpPauses } from './lookUpPauses.ts';
import { ParkedChats } from './parkedChats.ts';
import { ParkedDrain, type Attempt } from './parkedDrain.ts';
import { SendPause } from './sendPause.ts';
import {
  failMessage,
  hopelessBecause,
  readMessage,
  trySending,
  type SendDependencies,
  type TriedCommand,
} from './sendCommand.ts';

/** The pause that is shown while messages wait although the connection is online. */
export interface ShownPause {
  readonly durationMs: number;
  readonly code: PauseCode;
}

export interface OutboxDependencies extends Pick<Surroundings, 'random'>, SendDependencies {
  readonly connections: Pick<ConnectionStore, 'find'>;
  /** The socket on which messages may be sent now, if there is one. */
  readonly socket: () => SendingSocket | undefined;
  /** Shows that messages wait for a while because of an answer of WhatsApp, or of none; or that all go on. */
  readonly showPause?: (pause: ShownPause | undefined) => void;
}

/** `done`: the command may be deleted. `later`: it goes back to the queue, with all that follow in its group. */
export type CommandResult = 'done' | 'later';

/** The number of parked messages that are read at a time: when all of them fail, and when their chats are learned. */
const PAGE = 100;
/** The number of ended messages that are remembered: more than are in hand at once. */
const MOST_ENDED = 32;
/** The same for all connections: most of them send nothing. */
const NONE_ENDED: readonly MessageId[] = Object.freeze([]);
const NOTHING: ReadonlySet<LookUp> = Object.freeze(new Set<LookUp>());

/**
 * Everything that one owned connection sends, one message at a time. Order is kept within each chat: what cannot be sent now is
 * parked on a row of its own, in the order in which SQS took it, and holds later messages of its chat, and no others. While
 * nothing can be sent at all every message is parked (docs/sending.md).
 */
export class ConnectionOutbox {
  readonly #dependencies: OutboxDependencies;
  readonly #turn = new Mutex();
  readonly #drain: ParkedDrain;
  /**
   * The chats with parked messages. They are not known at first, as an earlier owner may have parked some; nor after a
   * login, as sockets name chats by what they know.
   */
  readonly #chats = new ParkedChats();
  readonly #holds: ChatHolds;
  /**
   * The messages that ended last. Their ends are published, and their rows may not say so yet: a command that comes twice must
   * not send one again.
   */
  #ended: readonly MessageId[] = NONE_ENDED;
  #finishing = false;
  readonly #pause: SendPause;
  readonly #lookUps: LookUpPauses;
  /** Aborts at the end of a pause. */
  #waiting = new AbortController();

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = dependencies;
    const { clock, random } = dependencies;
    this.#holds = new ChatHolds(clock, random);
    this.#pause = new SendPause({
      clock,
      onPaused: (durationMs) => this.#resumeAfter(durationMs),
      onResumed: () => dependencies.showPause?.(undefined),
    });
    this.#lookUps = new LookUpPauses({
      clock,
      random,
      onPaused: (durationMs, limited) =>
        this.#showLookUps({ durationMs, code: limited ? 'look_ups_limited' : 'look_ups_unanswered' }),
      onResumed: () => this.#showLookUps(undefined),
    });
    this.#drain = new ParkedDrain({
      ...dependencies,
      socket: () => this.#usableSocket(),
      turn: this.#turn,
      isFinishing: () => this.#finishing,
      chats: this.#chats,
      holds: this.#holds,
      rests: (socket, to, chat) => this.#rests(socket, to, chat),
      attempt: (messageId, socket, to) => this.#attempt({ messageId, source: 'parked' }, socket, to),
    });
  }

  /**
   * Sends a message, or parks it, or finds that it is over. Throws when a store or the events queue does not answer:
   * the command then goes back as well.
   * @param sequenceNumber the number by which SQS orders it, and so the order of parking
   * @param enqueuedAtMs when SQS accepted the command, by its clock
   */
  async handle(messageId: MessageId, sequenceNumber: string, enqueuedAtMs: number): Promise<CommandResult> {
    return this.#turn.runExclusive(async () => {
      if (this.#finishing) return 'later';
      this.#dependencies.assertOpen();
      if (this.#ended.includes(messageId)) return 'done';
      const command = { messageId, source: { enqueuedAtMs } };
      const socket = this.#usableSocket();
      if (socket !== undefined && !this.#chats.isKnown) await this.#learnChats(socket);
      let to: string | undefined;
      // Where something waits, the address decides whether this message may begin: its row is read first.
      if (socket === undefined || !this.#chats.isEmpty || this.#lookUps.isAny) {
        const message = await readMessage(this.#dependencies, command);
        // A second command, for example of a message that is looked after because it expires: it has its place already.
        if (message === 'settled' || (message.state === 'parked' && message.parkedAs !== undefined)) return 'done';
        if (socket === undefined || (await this.#mustWait(socket, message))) {
          await this.#parkOrFail(message, sequenceNumber, await socket?.chatOf(message.to));
          return 'done';
        }
        ({ to } = message);
      }
      const tried = await this.#attempt(command, socket, to);
      // The message stays ahead of all newer ones of its chat, under its stanza id.
      if (tried.attempt === 'held') await this.#park(tried.message, sequenceNumber, tried.chat);
      return tried.attempt === 'unowned' ? 'later' : 'done';
    });
  }

  /** Sends parked messages on a new socket that may be used. Pauses of the socket before are over. */
  allow(): void {
    this.#waiting.abort();
    this.#pause.reset();
    this.#lookUps.reset();
    this.#holds.releaseAll();
    this.#chats.forget();
    if (!this.#finishing) this.#drain.startAnew();
  }

  /** Starts the drain if anything is parked while a socket may be used, whatever was missed. Called now and then. */
  look(): void {
    if (!this.#chats.isEmpty && this.#usableSocket() !== undefined && !this.#finishing) this.#drain.startBy(Infinity);
  }

  /** Takes no more, and resolves when nothing is in flight. A command that comes later goes back to the queue. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#waiting.abort();
    this.#drain.stop();
    await this.#turn.waitForUnlock();
  }

  /** Fails all parked messages, for example because the connection was deleted. */
  async failAll(error: SendErrorCode): Promise<void> {
    const { messages, owned } = this.#dependencies;
    await this.#turn.runExclusive(async () => {
      for (;;) {
        const parked = await messages.listParked(owned.connectionId, PAGE);
        if (parked.length === 0) break;
        for (const { messageId, sequenceNumber } of parked) {
          this.#dependencies.assertOpen();
          const message = await readMessage(this.#dependencies, { messageId, source: 'parked' });
          if (message !== 'settled') await failMessage(this.#dependencies, message, error);
          this.#dependencies.assertOpen();
          await messages.unpark(owned, sequenceNumber);
        }
      }
      this.#chats.know([]);
    });
  }

  /** Whether a message must wait: older messages of its chat are parked, or a look-up that it needs rests. */
  async #mustWait(socket: SendingSocket, { to }: SentMessage): Promise<boolean> {
    if (this.#chats.isEmpty && !this.#lookUps.isAny) return false;
    const chat = await socket.chatOf(to);
    return this.#chats.has(chat) || this.#rests(socket, to, chat);
  }

  async #rests(socket: SendingSocket, to: string, chat: string): Promise<boolean> {
    if (!this.#lookUps.isAny) return false;
    const waitMs = this.#lookUps.waitMs(await socket.lookUpsFor(to));
    if (waitMs > 0) this.#holds.hold(chat, waitMs);
    return waitMs > 0;
  }

  /**
   * Tries a message.
   * @param to its address, where it is known already: which look-ups it needs matters only while some rest, and then it is
   */
  async #attempt(command: TriedCommand, socket: SendingSocket, to?: string): Promise<Attempt> {
    const needed = to !== undefined && this.#lookUps.isAny ? await socket.lookUpsFor(to) : NOTHING;
    const tried = await trySending(this.#dependencies, command, socket);
    if (tried.result === 'waits') {
      const chat = await socket.chatOf(tried.message.to);
      this.#holds.hold(chat, this.#lookUps.fail(tried.lookUp, tried.limited));
      return { attempt: 'held', message: tried.message, chat };
    }
    // WhatsApp has answered all that the message needed, if only to refuse it.
    this.#lookUps.pass(needed);
    if (tried.result === 'again') {
      const chat = await socket.chatOf(tried.message.to);
      this.#holds.fail(chat);
      return { attempt: 'held', message: tried.message, chat };
    }
    if (tried.message !== undefined && !this.#holds.isEmpty) {
      this.#holds.release(await socket.chatOf(tried.message.to));
    }
    if (tried.result === 'settled') this.#ended = [...this.#ended, command.messageId].slice(-MOST_ENDED);
    return { attempt: tried.result };
  }

  /** Reads from their rows which chats have parked messages. */
  async #learnChats(socket: SendingSocket): Promise<void> {
    const { messages, owned } = this.#dependencies;
    const found: (readonly [chat: string, place: string])[] = [];
    for (let after: string | undefined; ;) {
      const rows = await messages.listParked(owned.connectionId, PAGE, after);
      for (const { to, messageId, sequenceNumber } of rows) {
        const message = to === undefined ? await messages.find(owned.connectionId, messageId) : undefined;
        const address = to ?? (message?.direction === 'out' ? message.to : '');
        found.push([await socket.chatOf(address), sequenceNumber]);
      }
      after = rows.at(-1)?.sequenceNumber;
      if (rows.length < PAGE) break;
    }
    this.#chats.know(found);
  }

  /** Parks a message that cannot be sent now, or ends one that never can be. */
  async #parkOrFail(message: SentMessage, sequenceNumber: string, chat: string | undefined): Promise<void> {
    const { connections, owned } = this.#dependencies;
    const error = hopelessBecause(await connections.find(owned.tenantId, owned.connectionId));
    if (error === undefined) await this.#park(message, sequenceNumber, chat);
    else await failMessage(this.#dependencies, message, error);
  }

  /**
   * Parks a message.
   * @param chat undefined when nothing can be sent at all: then its chat is not known
   */
  async #park(message: SentMessage, sequenceNumber: string, chat: string | undefined): Promise<void> {
    const { messages, owned, assertOpen, clock } = this.#dependencies;
    assertOpen();
    if (chat === undefined) this.#chats.forget();
    else this.#chats.add(chat, sequenceNumber);
    await messages.park(owned, message, sequenceNumber);
    // The socket may have become usable, or its drain may have ended, while this message was being parked.
    if (this.#usableSocket() === undefined || this.#finishing) return;
    if (chat !== undefined && this.#holds.isHeld(chat))
      this.#drain.startBy(this.#holds.earliestMs ?? clock.monotonicMs());
    else this.#carryOn();
  }

  #carryOn(): void {
    if (!this.#finishing) this.#drain.start();
  }

  /** The socket on which messages may be sent now, with its sends counted; undefined while sends are paused. */
  #usableSocket(): SendingSocket | undefined {
    const socket = this.#dependencies.socket();
    return socket === undefined || this.#pause.isPaused() ? undefined : this.#pause.watch(socket);
  }

  #resumeAfter(durationMs: number): void {
    const { clock, showPause } = this.#dependencies;
    this.#waiting.abort();
    const waiting = new AbortController();
    this.#waiting = waiting;
    showPause?.({ durationMs, code: 'sends_paused' });
    void waitUntil(clock, clock.monotonicMs() + durationMs, waiting.signal).then(() => {
      if (!waiting.signal.aborted) this.#carryOn();
    });
  }

  /** Shows a pause of look-ups, unless all sends are paused: then that pause is shown. */
  #showLookUps(pause: ShownPause | undefined): void {
    if (!this.#pause.isPaused()) this.#dependencies.showPause?.(pause);
  }
}
