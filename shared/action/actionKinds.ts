import type { z } from 'zod';
import type { ActionRow } from './actionRow.ts';
import { addressBookRemove, addressBookSave } from './kinds/addressBook.ts';
import { callReject } from './kinds/callReject.ts';
import {
  channelList,
  channelFind,
  channelPreview,
  channelFollow,
  channelUnfollow,
  channelPostsList,
  channelPostReact,
} from './kinds/channels.ts';
import { chatClear, chatDelete } from './kinds/chatEmpties.ts';
import {
  chatArchive,
  chatMute,
  chatPin,
  chatRead,
  chatUnarchive,
  chatUnmute,
  chatUnpin,
  chatUnread,
} from './kinds/chatMarks.ts';
import { chatHistoryFetch } from './kinds/chatHistory.ts';
import { chatTyping } from './kinds/chatTyping.ts';
import { communityCreate, communityGroupLink, communityGroupsList, communityGroupUnlink } from './kinds/communities.ts';
import {
  contactAboutFind,
  contactBusinessFind,
  contactPresenceFind,
  contactBlock,
  contactUnblock,
  blockList,
} from './kinds/contactLooks.ts';
import { contactsCheck } from './kinds/contactsCheck.ts';
import {
  groupInvitationAccept,
  groupInviteFind,
  groupInviteJoin,
  groupInvitePreview,
  groupInviteReset,
} from './kinds/groupInvites.ts';
import {
  groupParticipantsAdd,
  groupParticipantsDemote,
  groupParticipantsPromote,
  groupParticipantsRemove,
  groupRequestsApprove,
  groupRequestsList,
  groupRequestsReject,
} from './kinds/groupParticipants.ts';
import {
  groupCreate,
  groupDescriptionSet,
  groupFind,
  groupLeave,
  groupList,
  groupSettingsSet,
  groupSubjectSet,
} from './kinds/groups.ts';
import {
  labelChange,
  labelChatAdd,
  labelChatRemove,
  labelCreate,
  labelDelete,
  labelFind,
  labelList,
  labelMessageAdd,
  labelMessageRemove,
} from './kinds/labels.ts';
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
import { profileFind, profileAboutSet, profileDisappearingSet, privacyFind, privacySet } from './kinds/profile.ts';

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
  chatArchive,
  chatUnarchive,
  chatPin,
  chatUnpin,
  chatMute,
  chatUnmute,
  chatClear,
  chatDelete,
  chatHistoryFetch,
  addressBookSave,
  addressBookRemove,
  labelList,
  labelFind,
  labelCreate,
  labelChange,
  labelDelete,
  labelChatAdd,
  labelChatRemove,
  labelMessageAdd,
  labelMessageRemove,
  profilePictureSet,
  profilePictureRemove,
  groupPictureSet,
  groupPictureRemove,
  pictureFind,
  groupList,
  groupFind,
  groupCreate,
  groupSubjectSet,
  groupDescriptionSet,
  groupSettingsSet,
  groupLeave,
  groupParticipantsAdd,
  groupParticipantsRemove,
  groupParticipantsPromote,
  groupParticipantsDemote,
  groupRequestsList,
  groupRequestsApprove,
  groupRequestsReject,
  groupInviteFind,
  groupInviteReset,
  groupInvitePreview,
  groupInviteJoin,
  groupInvitationAccept,
  communityCreate,
  communityGroupsList,
  communityGroupLink,
  communityGroupUnlink,
  contactAboutFind,
  contactBusinessFind,
  contactPresenceFind,
  contactBlock,
  contactUnblock,
  blockList,
  profileFind,
  profileAboutSet,
  profileDisappearingSet,
  privacyFind,
  privacySet,
  channelList,
  channelFind,
  channelPreview,
  channelFollow,
  channelUnfollow,
  channelPostsList,
  channelPostReact,
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
