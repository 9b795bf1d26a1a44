import { Mutex } from 'async-mutex';
import type { AccountLimit } from '../../shared/connection/brakes.ts';
import { sentFileOf } from '../../shared/media/sentFile.ts';
import { waitUntil } from '../../shared/kernel/clock.ts';
import { timeOfId, type MessageId } from '../../shared/kernel/id.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { ParkReason } from '../../shared/message/messageWait.ts';
import type { SendErrorCode } from '../../shared/message/sendError.ts';
import type { LookUp, SendingSocket } from '../socket/port/connectionSocket.ts';
import { ChatHolds } from './chatHolds.ts';
import { EndOfBrake } from './endOfBrake.ts';
import { failParked } from './failParked.ts';
import { FirstContactHolds, mayGiveUp } from './firstContactHolds.ts';
import { LookUpPauses } from './lookUpPauses.ts';
import { ParkedChats, readParkedChats } from './parkedChats.ts';
import { MessageWaits, type Waits } from './messageWaits.ts';
import type { NewCommand, OutboxDependencies, ParkedPlace, ShownPause } from './outboxDependencies.ts';
import { ParkedDrain, type Attempt } from './parkedDrain.ts';
import { SendPause } from './sendPause.ts';
import { failMessage, hopelessBecause, readMessage, trySending, type TriedCommand } from './sendCommand.ts';

/** `done`: the command may be deleted. `later`: it goes back to the queue, with all that follow in its group. */
export type CommandResult = 'done' | 'later';

/** The number of ended messages that are remembered: more than are in hand at once. */
const MOST_ENDED = 32;
/** The same for all connections: most of them send nothing. */
const NONE_ENDED: readonly MessageId[] = Object.freeze([]);
/**
 * How old a command may be that still waits in hand for the pace of its connection, in milliseconds. What is older is parked,
 * so that a long backlog stands on rows, where its number is bounded, and a new message of another chat goes before it.
 */
const IN_HAND_MS = 10_000;
/** How long a chat waits for the file of a message before that is looked at again, in milliseconds, where nobody tells that it has come. */
const FILE_LOOK_MS = 30_000;
const heldFor = { held_back: 'first_contact', in_part: 'audience', without_file: 'file' } as const;
const MEDIA: ReadonlySet<LookUp> = Object.freeze(new Set<LookUp>(['media']));
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
  /** How often files have ended: one may while its message is being tried. */
  #filesEnded = 0;
  readonly #endOfBrake: EndOfBrake;
  readonly #pause: SendPause;
  readonly #lookUps: LookUpPauses;
  readonly #firstContacts: FirstContactHolds;
  readonly #waits: MessageWaits;
  /** Aborts when nothing more may begin. */
  readonly #finished = new AbortController();
  /** Aborts at the end of a pause. */
  #waiting = new AbortController();

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = {
      ...dependencies,
      files: { look: (message, socket) => dependencies.files.look(message, socket, this.#lookUps.waitMs(MEDIA) <= 0) },
    };
    const { clock, random } = dependencies;
    this.#holds = new ChatHolds(clock, random);
    this.#firstContacts = new FirstContactHolds(dependencies);
    this.#endOfBrake = new EndOfBrake(clock, this.#finished.signal, () => this.look());
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
    const firstContacts = this.#firstContacts;
    const { governor } = dependencies;
    this.#waits = new MessageWaits({ governor, lookUps: this.#lookUps, holds: this.#holds, firstContacts });
    this.#drain = new ParkedDrain({
      ...this.#dependencies,
      socket: () => this.#usableSocket(),
      turn: this.#turn,
      isFinishing: () => this.#finishing,
      chats: this.#chats,
      holds: this.#holds,
      firstContacts,
      finished: this.#finished.signal,
      waits: (socket, row) => this.#waits.judge(socket, row),
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
    const command = { messageId, source: { enqueuedAtMs } };
    const { governor } = this.#dependencies;
    const handleNow = (hasTurn: boolean) =>
      this.#turn.runExclusive(() => this.#handleNow(command, sequenceNumber, hasTurn));
    const handled = await handleNow(false);
    if (handled !== 'paced') return handled;
    // The turn is not kept while waiting for the pace: what is parked leaves meanwhile.
    await governor.take(this.#finished.signal);
    return (await handleNow(true)) === 'done' ? 'done' : 'later';
  }

  /** @param hasTurn whether the message counts already in the budget of the connection */
  async #handleNow(command: NewCommand, sequenceNumber: string, hasTurn: boolean): Promise<CommandResult | 'paced'> {
    if (this.#finishing) return 'later';
    const { governor } = this.#dependencies;
    const { messageId, source } = command;
    this.#dependencies.assertOpen();
    if (this.#ended.includes(messageId)) return 'done';
    if (this.#usableSocket() !== undefined) await governor.load();
    const socket = this.#usableSocket();
    const isLate = !hasTurn && this.#isLate(source.enqueuedAtMs);
    if (socket !== undefined && !isLate && !hasTurn && !governor.tryTake()) return 'paced';
    if (socket !== undefined && !this.#chats.isKnown)
      this.#chats.know(await readParkedChats(this.#dependencies, socket));
    let to: string | undefined;
    // Where something waits, the address decides whether this message may begin: its row is read first.
    if (socket === undefined || !this.#chats.isEmpty || this.#waits.isAny || isLate) {
      const message = await readMessage(this.#dependencies, command);
      // A second command, for example of a message that is looked after because it expires: it has its place already.
      if (message === 'settled' || (message.state === 'parked' && message.parkedAs !== undefined)) return 'done';
      const chat = await socket?.chatOf(message.to);
      const waits =
        socket === undefined || chat === undefined ? 'nothing_leaves' : await this.#mustWait(socket, message, chat);
      if (waits === 'too_long') await failMessage(this.#dependencies, message, 'first_contacts_wait_too_long');
      else if (waits !== 'go') await this.#parkOrFail(message, { sequenceNumber, chat, reason: waits });
      else if (isLate) await this.#parkOrFail(message, { sequenceNumber, chat, reason: 'budget' });
      if (waits !== 'go' || isLate || socket === undefined) return 'done';
      ({ to } = message);
    }
    const tried = await this.#attempt(command, socket, to);
    // The message stays ahead of all newer ones of its chat, under its stanza id.
    if (tried.attempt === 'held') await this.#park(tried.message, { ...tried, sequenceNumber });
    return tried.attempt === 'unowned' ? 'later' : 'done';
  }

  /** Sends parked messages on a new socket that may be used. Pauses of the socket before are over. */
  allow(): void {
    this.#waiting.abort();
    this.#pause.reset();
    this.#lookUps.reset();
    this.#dependencies.governor.reload();
    this.#holds.releaseAll();
    this.#firstContacts.takeAll();
    this.#chats.forget();
    if (!this.#finishing) this.#drain.startAnew();
  }

  /**
   * Starts the drain if anything is parked while a socket may be used, whatever was missed, and tells what has changed in why
   * messages wait. Called with each listing.
   */
  look(): void {
    // The age of a link counts from here on, also where nothing is sent.
    const { governor } = this.#dependencies;
    if (this.#usableSocket() !== undefined) governor.load().catch(() => undefined);
    void governor.tell();
    this.#endOfBrake.await(governor.allWaitMs);
    if (this.#firstContacts.isAny && governor.firstContactWaitMs() <= 0) {
      for (const chat of this.#firstContacts.takeAll()) this.#holds.release(chat);
      this.#carryOn();
    }
    if (!this.#chats.isEmpty && this.#usableSocket() !== undefined && !this.#finishing) this.#drain.startBy(Infinity);
  }

  /** Since when the message waits that has waited longest, and not for the pace; undefined where there is none. */
  waitingSinceMs(parkedSinceMs: number): number | undefined {
    return this.#drain.waitingSinceMs(parkedSinceMs);
  }

  /** Hears what WhatsApp lets the account do. Messages that need not wait any more leave. */
  heard(told: AccountLimit): void {
    const { governor, logger } = this.#dependencies;
    governor
      .heard(told)
      .catch((error: unknown) => logger.warn('a limit of the account could not be stored', { error }))
      .finally(() => this.look());
  }

  /** Looks again at the messages that wait for their files. It does no harm where none has come. */
  fileEnded(): void {
    this.#filesEnded += 1;
    this.#holds.releaseAllFor('file');
    if (!this.#chats.isEmpty && this.#usableSocket() !== undefined) this.#carryOn();
  }

  /** Takes no more, and resolves when nothing is in flight. A command that comes later goes back to the queue. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#finished.abort();
    this.#waiting.abort();
    this.#drain.stop();
    await Promise.all([this.#turn.waitForUnlock(), this.#dependencies.governor.telling]);
  }

  /** Fails all parked messages, for example because the connection was deleted. */
  async failAll(error: SendErrorCode): Promise<void> {
    await this.#turn.runExclusive(async () => {
      await failParked(this.#dependencies, error);
      this.#chats.know([]);
    });
  }

  /** Whether a command has waited for so long, while the connection has to wait for its pace, that its message is parked. */
  #isLate(enqueuedAtMs: number): boolean {
    const { governor, clock } = this.#dependencies;
    return governor.waitMs > 0 && clock.nowMs() - enqueuedAtMs > IN_HAND_MS;
  }

  /** Whether a message must wait: older messages of its chat are parked, or what it needs rests. */
  async #mustWait(socket: SendingSocket, message: SentMessage, chat: string): Promise<Waits> {
    if (this.#chats.has(chat)) {
      const isPaced = this.#dependencies.governor.waitMs > 0;
      return this.#holds.reasonOf(chat) ?? (isPaced ? 'budget' : 'chat_in_order');
    }
    const { to, messageId, notBeforeMs = 0 } = message;
    const sinceMs = Math.max(timeOfId(messageId), notBeforeMs);
    const waits = await this.#waits.judge(socket, { to, chat, sinceMs });
    return waits === 'too_long' && !mayGiveUp(message) ? 'first_contact' : waits;
  }

  /**
   * Tries a message.
   * @param to its address, where it is known already: which look-ups it needs matters only while some rest, and then it is
   */
  async #attempt(command: TriedCommand, socket: SendingSocket, to?: string): Promise<Attempt> {
    const { governor } = this.#dependencies;
    const needed = to !== undefined && this.#lookUps.isAny ? await socket.lookUpsFor(to) : NOTHING;
    const ended = this.#filesEnded;
    const tried = await trySending(this.#dependencies, command, socket);
    if (tried.result === 'held_back' || tried.result === 'in_part' || tried.result === 'without_file') {
      const chat = await socket.chatOf(tried.message.to);
      if (tried.result === 'without_file') this.#lookUps.pass(MEDIA);
      const reason = heldFor[tried.result];
      this.#holds.hold(chat, this.#holdMs(reason, chat, ended), reason);
      return { attempt: 'held', message: tried.message, chat, reason };
    }
    if (tried.message !== undefined) governor.sentTo(await socket.chatOf(tried.message.to));
    if (tried.result === 'waits') {
      const chat = await socket.chatOf(tried.message.to);
      this.#holds.hold(chat, this.#lookUps.fail(tried.lookUp, tried.limited), 'look_up');
      return { attempt: 'held', message: tried.message, chat, reason: 'look_up' };
    }
    // WhatsApp has answered all that the message needed, if only to refuse it.
    this.#lookUps.pass(
      tried.message !== undefined && sentFileOf(tried.message.content) !== undefined ? needed.union(MEDIA) : needed,
    );
    if (tried.result === 'again') {
      const chat = await socket.chatOf(tried.message.to);
      this.#holds.fail(chat);
      return { attempt: 'held', message: tried.message, chat, reason: 'no_answer' };
    }
    if (tried.message !== undefined && !this.#holds.isEmpty) {
      this.#holds.release(await socket.chatOf(tried.message.to));
    }
    if (tried.result === 'settled') this.#ended = [...this.#ended, command.messageId].slice(-MOST_ENDED);
    return { attempt: tried.result };
  }

  /** How long a chat is held whose message has not left. Others go before more of an audience is looked up. */
  #holdMs(reason: ParkReason, chat: string, filesEnded: number): number {
    if (reason === 'first_contact') return this.#firstContacts.hold(chat);
    // A file that came while its message was being tried is looked at again at once.
    return reason === 'file' && filesEnded === this.#filesEnded ? FILE_LOOK_MS : 0;
  }

  /** Parks a message that cannot be sent now, or ends one that never can be. */
  async #parkOrFail(message: SentMessage, place: ParkedPlace): Promise<void> {
    const { connections, owned } = this.#dependencies;
    const error = hopelessBecause(await connections.find(owned.tenantId, owned.connectionId));
    if (error === undefined) await this.#park(message, place);
    else await failMessage(this.#dependencies, message, error);
  }

  async #park(message: SentMessage, { sequenceNumber, chat, reason }: ParkedPlace): Promise<void> {
    const { messages, owned, assertOpen, clock, governor } = this.#dependencies;
    assertOpen();
    if (chat === undefined) this.#chats.forget();
    else this.#chats.add(chat, sequenceNumber);
    await messages.park(owned, message, sequenceNumber, reason);
    this.#endOfBrake.await(governor.allWaitMs);
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
    return socket === undefined || this.#pause.isPaused() || this.#dependencies.governor.allWaitMs > 0
      ? undefined
      : this.#pause.watch(socket);
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
