import { rowOf, type ActionKind, type AskedAction, type RequestOf } from '../../../shared/action/actionKinds.ts';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import type { ActionOutcome } from '../port/actionOutcome.ts';
import { isFinal, LookUpError, refusalIn } from '../port/lookUpError.ts';
import { askAddressBookRemove, askAddressBookSave } from './askAddressBook.ts';
import { askCallReject } from './askCallReject.ts';
import {
  askCommunityCreate,
  askCommunityGroupLink,
  askCommunityGroupsList,
  askCommunityGroupUnlink,
} from './askCommunities.ts';
import {
  askChannelList,
  askChannelFind,
  askChannelPreview,
  askChannelFollow,
  askChannelUnfollow,
  askChannelPostsList,
  askChannelPostReact,
} from './askChannels.ts';
import { askChatClear, askChatDelete } from './askChatEmpties.ts';
import {
  askChatArchive,
  askChatMute,
  askChatPin,
  askChatRead,
  askChatUnarchive,
  askChatUnmute,
  askChatUnpin,
  askChatUnread,
} from './askChatMarks.ts';
import { askChatHistory } from './askChatHistory.ts';
import { askChatTyping } from './askChatTyping.ts';
import {
  askContactAboutFind,
  askContactBusinessFind,
  askContactPresenceFind,
  askContactBlock,
  askContactUnblock,
  askBlockList,
} from './askContacts.ts';
import { askContactsCheck } from './askContactsCheck.ts';
import {
  askGroupInvitationAccept,
  askGroupInviteFind,
  askGroupInviteJoin,
  askGroupInvitePreview,
  askGroupInviteReset,
} from './askGroupInvites.ts';
import {
  askGroupParticipantsAdd,
  askGroupParticipantsDemote,
  askGroupParticipantsPromote,
  askGroupParticipantsRemove,
  askGroupRequestsApprove,
  askGroupRequestsList,
  askGroupRequestsReject,
} from './askGroupParticipants.ts';
import {
  askGroupCreate,
  askGroupDescriptionSet,
  askGroupFind,
  askGroupLeave,
  askGroupList,
  askGroupSettingsSet,
  askGroupSubjectSet,
} from './askGroups.ts';
import {
  askLabelChange,
  askLabelChatAdd,
  askLabelChatRemove,
  askLabelCreate,
  askLabelDelete,
  askLabelFind,
  askLabelList,
  askLabelMessageAdd,
  askLabelMessageRemove,
} from './askLabels.ts';
import { askMessageDeleteForMe, askMessageStar, askMessageUnstar } from './askMessageFlags.ts';
import { askMessagePlayed, askMessageRead } from './askMessageMarks.ts';
import {
  askGroupPictureRemove,
  askGroupPictureSet,
  askPictureFind,
  askProfilePictureRemove,
  askProfilePictureSet,
} from './askPictures.ts';
import { askPresenceSet } from './askPresenceSet.ts';
import {
  askProfileFind,
  askProfileAboutSet,
  askProfileDisappearingSet,
  askPrivacyFind,
  askPrivacySet,
} from './askProfile.ts';
import type { Ask, Asking } from './asking.ts';

/** The question to WhatsApp for each kind of action. */
const asks: { readonly [Kind in ActionKind]: Ask<Kind> } = {
  contacts_check: askContactsCheck,
  chat_typing: askChatTyping,
  presence_set: askPresenceSet,
  message_read: askMessageRead,
  message_played: askMessagePlayed,
  call_reject: askCallReject,
  message_star: askMessageStar,
  message_unstar: askMessageUnstar,
  message_delete_for_me: askMessageDeleteForMe,
  chat_read: askChatRead,
  chat_unread: askChatUnread,
  chat_archive: askChatArchive,
  chat_unarchive: askChatUnarchive,
  chat_pin: askChatPin,
  chat_unpin: askChatUnpin,
  chat_mute: askChatMute,
  chat_unmute: askChatUnmute,
  chat_clear: askChatClear,
  chat_delete: askChatDelete,
  chat_history_fetch: askChatHistory,
  address_book_save: askAddressBookSave,
  address_book_remove: askAddressBookRemove,
  label_list: askLabelList,
  label_find: askLabelFind,
  label_create: askLabelCreate,
  label_change: askLabelChange,
  label_delete: askLabelDelete,
  label_chat_add: askLabelChatAdd,
  label_chat_remove: askLabelChatRemove,
  label_message_add: askLabelMessageAdd,
  label_message_remove: askLabelMessageRemove,
  profile_picture_set: askProfilePictureSet,
  profile_picture_remove: askProfilePictureRemove,
  group_picture_set: askGroupPictureSet,
  group_picture_remove: askGroupPictureRemove,
  picture_find: askPictureFind,
  group_list: askGroupList,
  group_find: askGroupFind,
  group_create: askGroupCreate,
  group_subject_set: askGroupSubjectSet,
  group_description_set: askGroupDescriptionSet,
  group_settings_set: askGroupSettingsSet,
  group_leave: askGroupLeave,
  group_participants_add: askGroupParticipantsAdd,
  group_participants_remove: askGroupParticipantsRemove,
  group_participants_promote: askGroupParticipantsPromote,
  group_participants_demote: askGroupParticipantsDemote,
  group_requests_list: askGroupRequestsList,
  group_requests_approve: askGroupRequestsApprove,
  group_requests_reject: askGroupRequestsReject,
  group_invite_find: askGroupInviteFind,
  group_invite_reset: askGroupInviteReset,
  group_invite_preview: askGroupInvitePreview,
  group_invite_join: askGroupInviteJoin,
  group_invitation_accept: askGroupInvitationAccept,
  community_create: askCommunityCreate,
  community_groups_list: askCommunityGroupsList,
  community_group_link: askCommunityGroupLink,
  community_group_unlink: askCommunityGroupUnlink,
  contact_about_find: askContactAboutFind,
  contact_business_find: askContactBusinessFind,
  contact_presence_find: askContactPresenceFind,
  contact_block: askContactBlock,
  contact_unblock: askContactUnblock,
  block_list: askBlockList,
  profile_find: askProfileFind,
  profile_about_set: askProfileAboutSet,
  profile_disappearing_set: askProfileDisappearingSet,
  privacy_find: askPrivacyFind,
  privacy_set: askPrivacySet,
  channel_list: askChannelList,
  channel_find: askChannelFind,
  channel_preview: askChannelPreview,
  channel_follow: askChannelFollow,
  channel_unfollow: askChannelUnfollow,
  channel_posts_list: askChannelPostsList,
  channel_post_react: askChannelPostReact,
};

/** WhatsApp's number for "too many of these". */
const RATE_LIMIT = 429;

/** Asks once, within the deadline of the kind. Rejects for a fault of ours, which is nobody's answer. */
export async function askWhatsApp(asking: Asking, action: AskedAction): Promise<ActionOutcome> {
  const { kind, request } = action;
  const ask = asks[kind] as Ask<ActionKind>;
  try {
    return await withDeadline('asking WhatsApp', rowOf(kind).deadlineMs, () =>
      ask(asking, request as RequestOf<ActionKind>),
    );
  } catch (error) {
    const outcome = toOutcome(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/**
 * The outcome of an error that came in place of an answer; undefined for one that is neither a word of WhatsApp nor its
 * silence.
 */
export function toOutcome(error: unknown): ActionOutcome | undefined {
  const code = error instanceof LookUpError ? error.code : refusalIn(error);
  if (code === RATE_LIMIT) return { outcome: 'limited', whatsappCode: code };
  if (isFinal(code))
    return { outcome: 'refused', error: { code: 'refused', ...(code === 0 ? {} : { whatsappCode: code }) } };
  const nothingLeft = error instanceof LookUpError ? ({ nothingLeft: true } as const) : {};
  if (code !== undefined) return { outcome: 'unanswered', whatsappCode: code, ...nothingLeft };
  const isSilence = error instanceof LookUpError || error instanceof TimeoutError || isLostLine(error);
  return isSilence ? { outcome: 'unanswered', ...nothingLeft } : undefined;
}

/**
 * Whether an error is one that Baileys throws when its line is lost: an error of its own kind, or the bare number with
 * which the WebSocket closed.
 */
function isLostLine(error: unknown): boolean {
  if (typeof error === 'number') return true;
  return error instanceof Error && 'isBoom' in error && error.isBoom === true;
}
