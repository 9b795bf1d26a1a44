import type { z } from 'zod';
import type { ActionRow } from './actionRow.ts';
import { callReject } from './kinds/callReject.ts';
import { chatRead, chatUnread } from './kinds/chatMarks.ts';
import { chatTyping } from './kinds/chatTyping.ts';
import { contactsCheck } from './kinds/contactsCheck.ts';
import { messageDeleteForMe, messageStar, messageUnstar } from './kinds/messageFlags.ts';
import { messagePlayed, messageRead } from './kinds/messageMarks.ts';
import {
  groupPictureRemove,
  groupPictureSet,
  pictureFind,
  profilePictureRemove,
  profilePictureSet,
} from './kinds/pictures.ts';
import { presenceSet } from './kinds/presenceSet.ts';

/**
 * The actions that a tenant may ask of a connection, beside sending: a row each. The routes with their schemas and
 * their part of the OpenAPI document, the stored action and its events are made of these; a worker asks for each in
 * WhatsApp's language.
 */
export const actionRows = [
  contactsCheck,
  chatTyping,
  presenceSet,
  messageRead,
  messagePlayed,
  callReject,
  messageStar,
  messageUnstar,
  messageDeleteForMe,
  chatRead,
  chatUnread,
  profilePictureSet,
  profilePictureRemove,
  groupPictureSet,
  groupPictureRemove,
  pictureFind,
] as const;

type Row = (typeof actionRows)[number];
export type ActionKind = Row['kind'];
type RowOf<Kind extends ActionKind> = Extract<Row, { readonly kind: Kind }>;
export type RequestOf<Kind extends ActionKind> = z.infer<RowOf<Kind>['request']>;
export type ResultOf<Kind extends ActionKind> = z.infer<RowOf<Kind>['result']>;

/** An action with its request, by kind. */
export type AskedAction = {
  readonly [Kind in ActionKind]: { readonly kind: Kind; readonly request: RequestOf<Kind> };
}[ActionKind];

export const actionKinds = actionRows.map(({ kind }) => kind) as [ActionKind, ...ActionKind[]];

const byKind = new Map<string, ActionRow>(actionRows.map((row) => [row.kind, row as unknown as ActionRow]));

/** The row of a kind, without the types of its own. */
export function rowOf(kind: ActionKind): ActionRow {
  const row = byKind.get(kind);
  if (row === undefined) throw new Error(`there is no action ${kind}`);
  return row;
}

/**
 * Whether this process knows a kind. A newer API may accept kinds that an older worker does not know: they wait for a
 * worker that does.
 */
export function isKnownKind(kind: string): kind is ActionKind {
  return byKind.has(kind);
}

/** The effect of a kind. A kind that is not known here counts as `once`: nobody may ask for it twice. */
export function effectOf(kind: string): ActionRow['effect'] {
  return byKind.get(kind)?.effect ?? 'once';
}

/** Names of the request's fields that stand in the path. */
export function pathFieldsOf({ path }: Pick<ActionRow, 'path'>): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
}
