import type { StanzaId } from '../../../../shared/kernel/id.ts';
import type { StateChange } from '../writePatch.ts';
import { messageIn, toMessageIndex, type NamedInIndex, type StateKind } from './stateKind.ts';

/** A star on a message. */
export const star: StateKind = {
  toFact: ({ isRemoved, about, value, key, atMs }) => {
    const named = messageIn(about);
    if (named === undefined) return undefined;
    const isSet = !isRemoved && value.starAction?.starred === true;
    const stanzaId = named.stanzaId as StanzaId;
    return { kind: 'message_flag', key, atMs, ...named, stanzaId, flag: 'starred', isSet };
  },
};

/** Source of the collection and the version: `BuildStar` of whatsmeow; Baileys names another collection. */
export function toStarChange(message: NamedInIndex, starred: boolean, nowMs: number): StateChange {
  return {
    collection: 'regular_high',
    entries: [
      {
        index: ['star', ...toMessageIndex(message)],
        value: { starAction: { starred }, timestamp: nowMs },
        formVersion: 2,
      },
    ],
  };
}
