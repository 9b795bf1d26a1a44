import { publicStatusOf, type Connection } from '../connection/connection.ts';
import { shownPace, waitRules } from '../connection/pace.ts';
import { pauseRules } from '../connection/sendsPause.ts';
import { readSettings, withDefaults } from '../connection/settings.ts';
import { timeOfId } from '../kernel/id.ts';
import type { MessageStore } from './messageStore.ts';

/** The time after which an accepted message that waits while its connection is online is late, in milliseconds. */
export const LATE_AFTER_MS = 60_000;

/**
 * The time since which a message has waited that has waited longest on a connection: since it was accepted, or might leave.
 * Undefined when none waits. It is
 * one read of one row: waiting messages are parked in their order, also while no worker lives.
 */
export async function oldestWaitingAtMs(
  messages: Pick<MessageStore, 'listParked'>,
  { connectionId, parkedCount }: Pick<Connection, 'connectionId' | 'parkedCount'>,
): Promise<number | undefined> {
  if (parkedCount <= 0) return undefined;
  const [oldest] = await messages.listParked(connectionId, 1);
  return oldest === undefined ? undefined : Math.max(timeOfId(oldest.messageId), oldest.notBeforeMs ?? 0);
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
  oldestAtMs: number | undefined,
  nowMs: number,
): ConnectionHealth {
  const { status, sendsPausedUntilMs = 0, sendsPausedBecause = 'sends_paused', parkedCount } = connection;
  const ofPause = pauseRules[sendsPausedBecause].sentence;
  const { sentence: ofStatus } = publicStatusOf(connection);
  const isPaused = status === 'online' && sendsPausedUntilMs > nowMs;
  const waitsMs = oldestAtMs === undefined ? undefined : Math.max(0, nowMs - oldestAtMs);
  const waiting =
    waitsMs === undefined
      ? ''
      : ` ${parkedCount} accepted ${parkedCount === 1 ? 'message waits' : 'messages wait'}, for up to ${span(waitsMs)}.`;
  const [attention, sentence] = ((): readonly [Attention, string] => {
    if (isPaused) return ['bad', `${ofPause}${waiting}`];
    if (status === 'online') {
      // It is the tenant's account that is restricted, and nothing of ours stands still.
      const wait = waitOfPace(connection, nowMs);
      if (wait !== undefined) return ['look', `${waitRules[wait.code].sentence}${waiting}`];
      if (waitsMs === undefined) return ['good', ofStatus];
      return waitsMs > LATE_AFTER_MS ? ['bad', `Sends are stalled.${waiting}`] : ['look', waiting.trim()];
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
    oldestWaitingAtMs: oldestAtMs,
  };
}

function waitOfPace({ pace, settings }: Connection, nowMs: number) {
  return pace && shownPace(pace, withDefaults(readSettings(settings)).pace, nowMs).wait;
}

function span(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
