import type { StateChange, StateEntry } from '../writePatch.ts';
import { chatIn, type StateKind } from './stateKind.ts';

/** A chat that stands at the top of the list, or no longer does. */
export const pinChat: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const chat = chatIn(name);
    const pinned = isRemoved ? false : value.pinAction?.pinned;
    if (chat === undefined || typeof pinned !== 'boolean') return undefined;
    return { kind: 'chat_mark', key, atMs, chat, pinned };
  },
};

/** Source of the form: `BuildPin` of whatsmeow. */
export function toPinEntry(chat: string, pinned: boolean, nowMs: number): StateEntry {
  return { index: ['pin_v1', chat], value: { pinAction: { pinned }, timestamp: nowMs }, formVersion: 5 };
}

export function toPinChange(chat: string, pinned: boolean, nowMs: number): StateChange {
  return { collection: 'regular_low', entries: [toPinEntry(chat, pinned, nowMs)] };
}
