import type { StanzaId } from '../../../../shared/kernel/id.ts';
import type { StateChange } from '../writePatch.ts';
import { messageIn, toMessageIndex, type NamedInIndex, type StateKind } from './stateKind.ts';

/** A message that the account deletes for itself alone. It does not come back: a record that is removed tells nothing. */
export const deleteForMe: StateKind = {
  toFact: ({ isRemoved, about, key, atMs }) => {
    const named = messageIn(about);
    if (named === undefined || isRemoved) return undefined;
    const stanzaId = named.stanzaId as StanzaId;
    return { kind: 'message_flag', key, atMs, ...named, stanzaId, flag: 'deleted_for_me', isSet: true };
  },
};

/**
 * The change that deletes a message for the account itself. Source of the form: Baileys (`deleteForMe`).
 * @param sentAtMs the time of the message
 */
export function toDeleteForMeChange(message: NamedInIndex, sentAtMs: number, nowMs: number): StateChange {
  const deleteMessageForMeAction = { deleteMedia: false, messageTimestamp: Math.floor(sentAtMs / 1_000) };
  return {
    collection: 'regular_high',
    entries: [
      {
        index: ['deleteMessageForMe', ...toMessageIndex(message)],
        value: { deleteMessageForMeAction, timestamp: nowMs },
        formVersion: 3,
      },
    ],
  };
}
