import type { proto } from '@whiskeysockets/baileys';
import type { StanzaId } from '../../../../shared/kernel/id.ts';
import { isLabelId, MOST_COLORS } from '../../../../shared/message/label.ts';
import type { StateChange } from '../writePatch.ts';
import { chatIn, messageIn, NOBODY, type StateKind } from './stateKind.ts';

/** Labels of a business, and what they are on. All of it lies in one collection. */
export const LABELS_IN = 'regular';
/** Source of all forms: `BuildLabelEdit`, `BuildLabelChat` and `BuildLabelMessage` of whatsmeow; Baileys writes the same. */
const FORM_VERSION = 3;
const NOT_MINE = '0';

/** A label that is made, changed or deleted. */
export const labelEdit: StateKind = {
  toFact: ({ isRemoved, about: [labelId = ''], value, key, atMs }) => {
    const edit = value.labelEditAction ?? {};
    const isDeleted = isRemoved || edit.deleted === true;
    if (!isLabelId(labelId) || (!isDeleted && !edit.name)) return undefined;
    return { kind: 'label_change', key, atMs, labelId, ...shownOf(edit), isDeleted };
  },
};

/** A label that is put on a chat, or taken from it. */
export const labelChat: StateKind = {
  toFact: ({ isRemoved, about: [labelId = '', name], value, key, atMs }) => {
    const chat = chatIn(name);
    const isSet = isRemoved ? false : value.labelAssociationAction?.labeled;
    if (!isLabelId(labelId) || chat === undefined || typeof isSet !== 'boolean') return undefined;
    return { kind: 'label_assign', key, atMs, labelId, chat, isSet };
  },
};

/** A label that is put on a message, or taken from it. */
export const labelMessage: StateKind = {
  toFact: ({ isRemoved, about: [labelId = '', ...message], value, key, atMs }) => {
    const named = messageIn(message);
    const isSet = isRemoved ? false : value.labelAssociationAction?.labeled;
    if (!isLabelId(labelId) || named === undefined || typeof isSet !== 'boolean') return undefined;
    const { chat, sender } = named;
    const writer = sender === undefined ? {} : { sender };
    return { kind: 'label_assign', key, atMs, labelId, chat, stanzaId: named.stanzaId as StanzaId, ...writer, isSet };
  },
};

/** The name and the colour of a label, as far as a device has said them in a way that can be. */
export function shownOf({ name, color }: proto.SyncActionValue.ILabelEditAction): {
  readonly name?: string;
  readonly color?: number;
} {
  const isColor = typeof color === 'number' && Number.isInteger(color) && color >= 0 && color < MOST_COLORS;
  return { ...(name ? { name } : {}), ...(isColor ? { color } : {}) };
}

/**
 * The change that makes, changes or deletes a label: all that is known of it, as the last word counts as a whole.
 * @param isNew it is written only where there is no label of this id
 */
export function toLabelChange(
  labelId: string,
  labelEditAction: proto.SyncActionValue.ILabelEditAction,
  nowMs: number,
  isNew = false,
): StateChange {
  const entry = {
    index: ['label_edit', labelId],
    value: { labelEditAction, timestamp: nowMs },
    formVersion: FORM_VERSION,
  } as const;
  return { collection: LABELS_IN, entries: [isNew ? { ...entry, onlyIfNew: true } : entry] };
}

export function toLabelChatChange(labelId: string, chat: string, labeled: boolean, nowMs: number): StateChange {
  return toAssociation(['label_jid', labelId, chat], labeled, nowMs);
}

export function toLabelMessageChange(
  labelId: string,
  { chat, stanzaId }: { readonly chat: string; readonly stanzaId: string },
  labeled: boolean,
  nowMs: number,
): StateChange {
  return toAssociation(['label_message', labelId, chat, stanzaId, NOT_MINE, NOBODY], labeled, nowMs);
}

function toAssociation(index: readonly string[], labeled: boolean, nowMs: number): StateChange {
  const value = { labelAssociationAction: { labeled }, timestamp: nowMs };
  return { collection: LABELS_IN, entries: [{ index, value, formVersion: FORM_VERSION }] };
}
