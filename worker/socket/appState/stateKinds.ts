import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { digest } from '../../../shared/event/facts/factKey.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { archiveChat } from './kinds/archiveChat.ts';
import { deleteForMe } from './kinds/deleteForMe.ts';
import { clearChat, deleteChat } from './kinds/emptyChat.ts';
import { labelChat, labelEdit, labelMessage } from './kinds/label.ts';
import { markChat } from './kinds/markChat.ts';
import { muteChat } from './kinds/muteChat.ts';
import { pinChat } from './kinds/pinChat.ts';
import { savedContact } from './kinds/savedContact.ts';
import { star } from './kinds/star.ts';
import type { StateKind } from './kinds/stateKind.ts';
import type { Mutation } from './readPatches.ts';

/** The kinds of changes that are told, by the first word of their index. All others are counted and passed over. */
const stateKinds: Readonly<Record<string, StateKind>> = {
  star,
  deleteMessageForMe: deleteForMe,
  markChatAsRead: markChat,
  archive: archiveChat,
  pin_v1: pinChat,
  mute: muteChat,
  clearChat,
  deleteChat,
  contact: savedContact,
  label_edit: labelEdit,
  label_jid: labelChat,
  label_message: labelMessage,
};

/** A device's clock may be wrong; a time further ahead than this is not believed. */
const AHEAD_MS = 24 * 3_600_000;

/** What a change tells; `unknown` for a kind without a meaning here, `malformed` for one that cannot be read. */
export function toFact(collection: string, mutation: Mutation, nowMs: number): Fact | 'unknown' | 'malformed' {
  const { index, value = {}, operation, indexMac, valueMac } = mutation;
  const [name, ...about] = index ?? [];
  if (name === undefined) return 'malformed';
  const kind = tableEntry(stateKinds, name);
  if (kind === undefined) return 'unknown';
  const key = `app_state:${digest(collection, indexMac, Buffer.from(valueMac).toString('hex'))}`;
  const atMs = timeOf(mutation, nowMs) ?? nowMs;
  return kind.toFact({ isRemoved: operation === 'remove', about, value, key, atMs }) ?? 'malformed';
}

/** When a change was made, as its device says; undefined where it does not say, or says what cannot be. */
export function timeOf({ value }: Pick<Mutation, 'value'>, nowMs: number): number | undefined {
  const told = Number(value?.timestamp ?? 0);
  return Number.isSafeInteger(told) && told > 0 && told <= nowMs + AHEAD_MS ? told : undefined;
}
