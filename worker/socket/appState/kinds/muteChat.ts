import { FOR_EVER } from '../../../../shared/message/chatMarks.ts';
import { LAST_MS } from '../../../../shared/kernel/lastMs.ts';
import type { StateChange } from '../writePatch.ts';
import { chatIn, type StateKind } from './stateKind.ts';

/** A chat about which the phone is silent, or no longer is. */
export const muteChat: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const chat = chatIn(name);
    const muted = isRemoved ? false : value.muteAction?.muted;
    if (chat === undefined || typeof muted !== 'boolean') return undefined;
    const mutedUntilMs = muted ? endOf(value.muteAction?.muteEndTimestamp) : 0;
    return { kind: 'chat_mark', key, atMs, chat, mutedUntilMs };
  },
};

/** The end of a mute as a device wrote it: one that is missing, or that cannot be, is none. */
function endOf(written: unknown): number {
  const endMs = Number(written ?? FOR_EVER);
  return Number.isSafeInteger(endMs) && endMs > 0 && endMs <= LAST_MS ? endMs : FOR_EVER;
}

/**
 * The change that mutes a chat, or ends that. Source of the form: `BuildMute` of whatsmeow, with -1 for ever.
 * @param untilMs as the field `mutedUntilMs` of the fact
 */
export function toMuteChange(chat: string, untilMs: number, nowMs: number): StateChange {
  const muteAction = untilMs === 0 ? { muted: false } : { muted: true, muteEndTimestamp: untilMs };
  return {
    collection: 'regular_high',
    entries: [{ index: ['mute', chat], value: { muteAction, timestamp: nowMs }, formVersion: 2 }],
  };
}
