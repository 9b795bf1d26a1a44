import type { Mutex } from 'async-mutex';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { waitUntil, type StopSignal } from '../../shared/kernel/clock.ts';
import { timeOfId, type MessageId } from '../../shared/kernel/id.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { isOfPace, type ParkReason } from '../../shared/message/messageWait.ts';
import type { ParkedMessage } from '../../shared/message/parkedRows.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { SendingSocket } from '../socket/port/connectionSocket.ts';
import type { ChatHolds } from './chatHolds.ts';
import { mayGiveUp, type FirstContactHolds, type JudgedMessage } from './firstContactHolds.ts';
import type { Waits } from './messageWaits.ts';
import type { ParkedChats } from './parkedChats.ts';
import { failMessage, readMessage, type SendDependencies } from './sendCommand.ts';

/** The outcome of a try: `held` leaves the message where it is, and its chat waits. */
export type Attempt =
  | { readonly attempt: 'settled' | 'unowned' }
  | {
      readonly attempt: 'held';
      readonly message: SentMessage;
      readonly chat: string;
      readonly reason: ParkReason;
    };

export interface DrainDependencies extends Pick<Surroundings, 'random'>, SendDependencies {
  /** The socket on which messages may be sent now, if there is one. */
  readonly socket: () => SendingSocket | undefined;
  /** The connection's turn to send, shared with new commands. */
  readonly turn: Mutex;
  readonly isFinishing: () => boolean;
  readonly chats: ParkedChats;
  readonly holds: ChatHolds;
  readonly firstContacts: FirstContactHolds;
  /** Aborts when nothing more may begin. */
  readonly finished: StopSignal;
  /** Whether a message has to wait for what its address decides. */
  readonly waits: (socket: SendingSocket, message: JudgedMessage) => Promise<Waits>;
  readonly attempt: (messageId: MessageId, socket: SendingSocket, to: string) => Promise<Attempt>;
}

const RETRY = { firstMs: 1_000, capMs: 30_000 } as const;
/** The number of rows that are read at a time. */
const PAGE = 25;
/**
 * The time after which the rows are looked at again, in milliseconds, as long as anything is parked and a socket may be
 * used.
 */
const LOOK_AGAIN_MS = 30_000;

/** How long what a walk through the parked messages has found is true enough, in milliseconds: one is made twice in this time. */
const WALKED_LATELY_MS = 90_000;

/** One walk through the parked rows, in their order. */
interface Look {
  readonly page: ParkedMessage[];
  /**
   * The chats of which a row was passed. Their later rows are passed, too, although the time to wait may be over by
   * then.
   */
  readonly passed: Set<string>;
  place: string | undefined;
  /** Since when the message waits that has waited longest of those which the walk has left, and not for the pace. */
  waitingSinceMs: number | undefined;
}

/** What the last whole walk has found. */
interface Walked {
  /** When it ended, on the monotonic clock. */
  readonly atMs: number;
  readonly waitingSinceMs: number | undefined;
}

/** `over`: nothing is parked, or nothing may be sent. `waiting`: the remaining rows wait for their chats' time. */
type Progress = 'next' | 'over' | 'waiting' | 'failed';

/**
 * Sends parked messages for as long as the socket may be used: in order within each chat, and past chats that wait.
 * Each turn handles one row, so that a new message of another chat comes in between. At most one loop runs.
 */
export class ParkedDrain {
  readonly #dependencies: DrainDependencies;
  #running = false;
  #again = false;
  #isStale = false;
  /** Whether a message that is not sent yet counts already in the budget of the connection. */
  #hasTurn = false;
  #waiting: { readonly stop: AbortController; readonly untilMs: number } | undefined;
  /** What the last whole walk has found; undefined before there was one. */
  #walked: Walked | undefined;

  constructor(dependencies: DrainDependencies) {
    this.#dependencies = dependencies;
  }

  /** Starts the loop, or ends its wait if it runs. */
  start(): void {
    this.#again = true;
    this.#waiting?.stop.abort();
    if (!this.#running) void this.#run();
  }

  /**
   * Begins a new look for a new socket, on which nothing waits and which names chats by what it knows; the present look
   * ends.
   */
  startAnew(): void {
    this.#isStale = true;
    this.start();
  }

  /** Makes the loop look by a given time, because a message was parked in a chat that waits until then. */
  startBy(untilMs: number): void {
    if (!this.#running || (this.#waiting !== undefined && untilMs < this.#waiting.untilMs)) this.start();
  }

  /** Ends a wait; the message in flight finishes. */
  stop(): void {
    this.#waiting?.stop.abort();
  }

  /**
   * Since when the message waits that has waited longest, and not because the connection keeps its pace; undefined where there is
   * none. A backlog that leaves at its pace, and new people who may not be written to, stand for nothing that is wrong.
   * @param parkedSinceMs the same of all that are parked, as their rows say; it counts where none has walked through them lately
   */
  waitingSinceMs(parkedSinceMs: number): number | undefined {
    const { governor, clock } = this.#dependencies;
    if (governor.waitMs > 0) return undefined;
    const isKnown = this.#walked !== undefined && clock.monotonicMs() - this.#walked.atMs < WALKED_LATELY_MS;
    return isKnown ? this.#walked?.waitingSinceMs : parkedSinceMs;
  }

  async #run(): Promise<void> {
    const { clock, random, holds, isFinishing } = this.#dependencies;
    this.#running = true;
    let failures = 0;
    while (this.#again && !isFinishing()) {
      this.#again = false;
      this.#isStale = false;
      const result = await this.#lookThrough();
      failures = result === 'failed' ? failures + 1 : 0;
      if (result === 'over' || this.#again) continue;
      const nowMs = clock.monotonicMs();
      const laterMs =
        result === 'failed'
          ? nowMs + backoffMs(RETRY, failures - 1, random.unit())
          : Math.min(holds.earliestMs ?? Infinity, nowMs + LOOK_AGAIN_MS);
      // No turn is kept while waiting, so that newer commands can be worked meanwhile.
      this.#waiting = { stop: new AbortController(), untilMs: laterMs };
      await waitUntil(clock, laterMs, this.#waiting.stop.signal);
      this.#waiting = undefined;
      this.#again = true;
    }
    this.#running = false;
  }

  async #lookThrough(): Promise<Exclude<Progress, 'next'>> {
    const { turn, logger, chats, firstContacts, governor, finished } = this.#dependencies;
    const look: Look = { page: [], passed: new Set(), place: undefined, waitingSinceMs: undefined };
    chats.beginLook();
    firstContacts.beginLook();
    for (;;) {
      if (!this.#hasTurn) await governor.take(finished);
      this.#hasTurn = true;
      const progress = await turn
        .runExclusive(() => this.#step(look))
        .catch((error: unknown): Progress => {
          logger.warn('parked message could not be sent', { error });
          return 'failed';
        });
      if (progress !== 'next') return progress;
    }
  }

  /** Goes on to the next message that may be tried, or to the end of a page. */
  async #step(look: Look): Promise<Progress> {
    const {
      messages,
      owned,
      socket: usable,
      isFinishing,
      assertOpen,
      chats,
      holds,
      firstContacts,
      clock,
    } = this.#dependencies;
    if (usable() !== undefined) await this.#dependencies.governor.load();
    const socket = usable();
    if (socket === undefined || isFinishing() || this.#isStale) return 'over';
    assertOpen();
    if (look.page.length === 0) look.page.push(...(await messages.listParked(owned.connectionId, PAGE, look.place)));
    if (look.page.length === 0) {
      chats.endLook();
      this.#walked = { atMs: clock.monotonicMs(), waitingSinceMs: look.waitingSinceMs };
      holds.retain((chat) => chats.has(chat));
      firstContacts.retain((chat) => chats.has(chat));
      return chats.isEmpty ? 'over' : 'waiting';
    }
    for (let row = look.page.shift(); row !== undefined; row = look.page.shift()) {
      look.place = row.sequenceNumber;
      const to = await this.#addressOf(row);
      const chat = await socket.chatOf(to);
      const waits = await this.#mustWait(look, row, socket, { to, chat });
      if (waits === 'go') return this.#trySending(look, row, socket, { to, chat });
      const isOver = waits === 'too_long' || firstContacts.isOneTooMany(chat);
      if (isOver && (await this.#giveUp(row, chat)) === 'over') continue;
      await this.#leave(look, row, chat, waits === 'too_long' ? 'first_contact' : waits);
    }
    return 'next';
  }

  /**
   * Leaves a row where it is. That it is to a new person is noted once, where nobody knew when it was parked: such a message
   * may wait for a day, and its sender wants to know why.
   */
  async #leave(look: Look, row: ParkedMessage, chat: string, reason: ParkReason): Promise<void> {
    look.passed.add(chat);
    if (!isOfPace(reason)) look.waitingSinceMs = Math.min(look.waitingSinceMs ?? Infinity, sinceMsOf(row));
    this.#dependencies.chats.leave(chat, row.sequenceNumber);
    if (reason !== 'first_contact' || row.reason === reason) return;
    const { messages, owned, assertOpen } = this.#dependencies;
    assertOpen();
    await messages.noteParkReason(owned, row, reason);
  }

  async #mustWait(
    look: Look,
    row: ParkedMessage,
    socket: SendingSocket,
    { to, chat }: { readonly to: string; readonly chat: string },
  ): Promise<Waits> {
    const { holds, waits } = this.#dependencies;
    if (look.passed.has(chat) || holds.isHeld(chat)) return holds.reasonOf(chat) ?? 'chat_in_order';
    return waits(socket, { to, chat, sinceMs: sinceMsOf(row) });
  }

  /** Fails a message to a new person that has waited for too long, where it may fail. */
  async #giveUp(row: ParkedMessage, chat: string): Promise<'over' | 'stays'> {
    const { messages, owned, assertOpen, chats } = this.#dependencies;
    const message = await readMessage(this.#dependencies, { messageId: row.messageId, source: 'parked' });
    if (message !== 'settled' && !mayGiveUp(message)) return 'stays';
    if (message !== 'settled') await failMessage(this.#dependencies, message, 'first_contacts_wait_too_long');
    assertOpen();
    await messages.unpark(owned, row.sequenceNumber);
    chats.remove(chat, row.sequenceNumber);
    return 'over';
  }

  async #trySending(
    look: Look,
    row: ParkedMessage,
    socket: SendingSocket,
    { to, chat }: { readonly to: string; readonly chat: string },
  ): Promise<Progress> {
    const { messages, owned, assertOpen, chats, attempt: send } = this.#dependencies;
    this.#hasTurn = false;
    const tried = await send(row.messageId, socket, to);
    if (tried.attempt === 'held') {
      await this.#leave(look, row, chat, tried.reason);
      return 'next';
    }
    // A newer owner has the message: it has the parked row, too.
    if (tried.attempt === 'unowned') return 'over';
    assertOpen();
    await messages.unpark(owned, row.sequenceNumber);
    chats.remove(chat, row.sequenceNumber);
    return 'next';
  }

  async #addressOf(row: ParkedMessage): Promise<string> {
    if (row.to !== undefined) return row.to;
    const { messages, owned } = this.#dependencies;
    const message = await messages.find(owned.connectionId, row.messageId);
    return message?.direction === 'out' ? message.to : '';
  }
}

/** Since when a message might have left, in milliseconds since 1970. */
function sinceMsOf({ messageId, notBeforeMs = 0 }: Pick<ParkedMessage, 'messageId' | 'notBeforeMs'>): number {
  return Math.max(timeOfId(messageId), notBeforeMs);
}
