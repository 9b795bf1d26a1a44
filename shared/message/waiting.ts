import { publicStatusOf, type Connection } from '../connection/connection.ts';
import { shownPace } from '../connection/pace.ts';
import { waitRules } from '../connection/paceWait.ts';
import { pauseRules } from '../connection/sendsPause.ts';
import { readSettings, withDefaults } from '../connection/settings.ts';
import { timeOfId } from '../kernel/id.ts';
import { DEFAULT_MESSAGES_PER_MINUTE } from '../platform/connectionConfig.ts';
import { isOfPace, waitOfMessage, type ParkReason } from './messageWait.ts';
import type { MessageStore } from './messageStore.ts';
import { PARKED_LIMIT } from './parkedRows.ts';

/** The time after which an accepted message that waits while its connection is online is late, in milliseconds. */
export const LATE_AFTER_MS = 60_000;

/** The message that has waited longest on a connection: since when, and why it was parked. */
export interface OldestWaiting {
  /** Since it was accepted, or might leave, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly reason?: ParkReason | undefined;
}

/**
 * The message that has waited longest on a connection; undefined when none waits. It is one read of one row: waiting messages
 * are parked in their order, also while no worker lives.
 */
export async function oldestWaiting(
  messages: Pick<MessageStore, 'listParked'>,
  { connectionId, parkedCount }: Pick<Connection, 'connectionId' | 'parkedCount'>,
): Promise<OldestWaiting | undefined> {
  if (parkedCount <= 0) return undefined;
  const [oldest] = await messages.listParked(connectionId, 1);
  if (oldest === undefined) return undefined;
  const { messageId, notBeforeMs = 0, reason } = oldest;
  return { sinceMs: Math.max(timeOfId(messageId), notBeforeMs), reason };
}

/** `bad`: customers feel it. `look`: a person should look at it, at some time. `good`: as it should be. */
export type Attention = 'bad' | 'look' | 'good';
export const attentions = ['bad', 'look', 'good'] as const satisfies readonly Attention[];

/** How well a connection works, which its status alone does not say. */
export interface ConnectionHealth {
  readonly attention: Attention;
  /** The reason in one sentence, with the time until which it holds. */
  readonly sentence: string;
  /** The pause of sends; absent while messages go out as they come. */
  readonly sendsPaused: { readonly sentence: string; readonly untilMs: number } | undefined;
  readonly oldestWaitingAtMs: number | undefined;
}

/** Judges a connection that is wanted online. The first rule that applies decides. The function is pure. */
export function judgeConnection(
  connection: Connection,
  oldest: OldestWaiting | undefined,
  nowMs: number,
): ConnectionHealth {
  const { status, sendsPausedUntilMs = 0, sendsPausedBecause = 'sends_paused', parkedCount } = connection;
  const ofPause = pauseRules[sendsPausedBecause].sentence;
  const { sentence: ofStatus } = publicStatusOf(connection);
  const isPaused = status === 'online' && sendsPausedUntilMs > nowMs;
  const waitsMs = oldest === undefined ? undefined : Math.max(0, nowMs - oldest.sinceMs);
  const waiting =
    waitsMs === undefined
      ? ''
      : ` ${parkedCount} accepted ${parkedCount === 1 ? 'message waits' : 'messages wait'}, for up to ${span(waitsMs)}.`;
  const [attention, sentence] = ((): readonly [Attention, string] => {
    if (isPaused) return ['bad', `${ofPause}${waiting}`];
    if (status === 'online') {
      if (waitsMs === undefined) {
        const wait = waitOfPace(connection, nowMs);
        // Room for more new people comes by itself, and nobody waits for it.
        return wait === undefined || wait.code === 'first_contacts_used_up'
          ? ['good', ofStatus]
          : ['look', waitRules[wait.code].sentence];
      }
      const because = becauseOfPace(connection, oldest?.reason, nowMs);
      if (because !== undefined) return ['look', `${because}${waiting}`];
      if (waitsMs <= LATE_AFTER_MS) return ['look', waiting.trim()];
      return isBacklogLeaving(connection, oldest?.reason, nowMs)
        ? ['look', `A backlog leaves at the pace of the connection.${waiting}`]
        : ['bad', `Sends are stalled.${waiting}`];
    }
    // A person has to link it, and nobody has promised to.
    if (status === 'awaiting_pairing' || (status === 'unpaired' && connection.account === undefined)) {
      return [waitsMs === undefined ? 'good' : 'look', `${ofStatus}${waiting}`];
    }
    // A connection that WhatsApp restricted, or that a person unlinked on the phone, is not bad for others: it must not
    // hide worse ones.
    return ['look', `${ofStatus}${waiting}`];
  })();
  return {
    attention,
    sentence,
    sendsPaused: isPaused ? { sentence: ofPause, untilMs: sendsPausedUntilMs } : undefined,
    oldestWaitingAtMs: oldest?.sinceMs,
  };
}

/** What was tried, and waits for an answer of WhatsApp. */
const isTried = (reason: ParkReason | undefined): boolean => reason === 'look_up' || reason === 'no_answer';

/** Why messages of an online connection wait for its pace; undefined where they do not. It is the tenant's account that is restricted. */
function becauseOfPace(connection: Connection, reason: ParkReason | undefined, nowMs: number): string | undefined {
  if (isOfPace(reason)) return waitOfMessage(reason, connection, nowMs).sentence;
  const wait = isTried(reason) ? undefined : waitOfPace(connection, nowMs);
  return wait && waitRules[wait.code].sentence;
}

/** Whether what was parked while nothing could leave may still be on its way: so long a full backlog takes at the pace. */
function isBacklogLeaving(connection: Connection, reason: ParkReason | undefined, nowMs: number): boolean {
  const { pace, settings, statusSinceMs, sendsPausedUntilMs = 0 } = connection;
  const { budgets = pace?.budgets, messagesPerMinute = DEFAULT_MESSAGES_PER_MINUTE } = settingsOf(settings);
  if (isTried(reason) || budgets === 'off') return false;
  const leavesSinceMs = Math.max(statusSinceMs, sendsPausedUntilMs, pace?.brakes.all?.untilMs ?? 0);
  return nowMs - leavesSinceMs <= (PARKED_LIMIT / messagesPerMinute) * 60_000;
}

function waitOfPace({ pace, settings }: Connection, nowMs: number) {
  return pace && shownPace(pace, settingsOf(settings), nowMs).wait;
}

const settingsOf = (settings: Connection['settings']) => withDefaults(readSettings(settings)).pace;

function span(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
