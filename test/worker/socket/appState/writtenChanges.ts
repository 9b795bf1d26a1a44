import { FOR_EVER } from '../../../../shared/message/chatMarks.ts';
import { toArchiveChange } from '../../../../worker/socket/appState/kinds/archiveChat.ts';
import { toDeleteForMeChange } from '../../../../worker/socket/appState/kinds/deleteForMe.ts';
import { toClearChange, toDeleteChatChange } from '../../../../worker/socket/appState/kinds/emptyChat.ts';
import {
  toLabelChange,
  toLabelChatChange,
  toLabelMessageChange,
} from '../../../../worker/socket/appState/kinds/label.ts';
import { toMarkChatChange } from '../../../../worker/socket/appState/kinds/markChat.ts';
import { toMuteChange } from '../../../../worker/socket/appState/kinds/muteChat.ts';
import { toPinChange } from '../../../../worker/socket/appState/kinds/pinChat.ts';
import { toRemoveContactChange, toSaveContactChange } from '../../../../worker/socket/appState/kinds/savedContact.ts';
import { toStarChange } from '../../../../worker/socket/appState/kinds/star.ts';
import type { Mutation } from '../../../../worker/socket/appState/readPatches.ts';
import type { StateChange, StateEntry } from '../../../../worker/socket/appState/writePatch.ts';

/** A change that is written, with the form that WhatsApp's clients give it, and what is told of it when it is read. */
export interface WrittenChange {
  readonly what: string;
  readonly change: StateChange;
  readonly collection: string;
  readonly entries: readonly StateEntry[];
  readonly facts: readonly { readonly kind: string; readonly [name: string]: unknown }[];
}

export const AT = 1_790_000_000_000;
const SECONDS = AT / 1_000;
const BOB = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const LID = '222@lid';
const inChat = { chat: BOB, stanzaId: 'ONE', fromMe: false, sender: BOB, atMs: AT - 5_000 };
const inGroup = { chat: GROUP, stanzaId: 'TWO', fromMe: false, sender: LID, atMs: AT - 5_000 };
const rangeOf = (timestamp: number, ...keys: readonly object[]) => ({
  lastMessageTimestamp: timestamp,
  messages: keys.map((key) => ({ key, timestamp })),
});
const bobs = rangeOf(SECONDS - 5, { remoteJid: BOB, id: 'ONE', fromMe: false });
const lids = rangeOf(SECONDS - 5, { remoteJid: GROUP, id: 'TWO', fromMe: false, participant: LID });
const timestamp = AT;

const messageChanges: readonly WrittenChange[] = [
  {
    what: 'a star',
    change: toStarChange(inGroup, true, AT),
    collection: 'regular_high',
    entries: [
      {
        index: ['star', GROUP, 'TWO', '0', LID],
        value: { starAction: { starred: true }, timestamp },
        formVersion: 2,
      },
    ],
    facts: [{ kind: 'message_flag', chat: GROUP, stanzaId: 'TWO', sender: LID, flag: 'starred', isSet: true }],
  },
  {
    what: 'a deletion for the account itself',
    change: toDeleteForMeChange(inChat, AT - 5_000, AT),
    collection: 'regular_high',
    entries: [
      {
        index: ['deleteMessageForMe', BOB, 'ONE', '0', '0'],
        value: {
          deleteMessageForMeAction: { deleteMedia: false, messageTimestamp: SECONDS - 5 },
          timestamp,
        },
        formVersion: 3,
      },
    ],
    facts: [{ kind: 'message_flag', chat: BOB, stanzaId: 'ONE', flag: 'deleted_for_me', isSet: true }],
  },
];

const chatChanges: readonly WrittenChange[] = [
  {
    what: 'a chat that is read',
    change: toMarkChatChange(BOB, true, inChat, AT),
    collection: 'regular_low',
    entries: [
      {
        index: ['markChatAsRead', BOB],
        value: { markChatAsReadAction: { read: true, messageRange: bobs }, timestamp },
        formVersion: 3,
      },
    ],
    facts: [{ kind: 'chat_mark', chat: BOB, unread: false }],
  },
  {
    what: 'a chat that goes into the archive, and loses its pin where it has one',
    change: toArchiveChange(GROUP, true, inGroup, AT),
    collection: 'regular_low',
    entries: [
      {
        index: ['archive', GROUP],
        value: { archiveChatAction: { archived: true, messageRange: lids }, timestamp },
        formVersion: 3,
      },
      {
        index: ['pin_v1', GROUP],
        value: { pinAction: { pinned: false }, timestamp },
        formVersion: 5,
        onlyIfThere: true,
      },
    ],
    facts: [
      { kind: 'chat_mark', chat: GROUP, archived: true },
      { kind: 'chat_mark', chat: GROUP, pinned: false },
    ],
  },
  {
    what: 'a chat of which no message is known, that comes back from the archive',
    change: toArchiveChange(BOB, false, undefined, AT),
    collection: 'regular_low',
    entries: [
      {
        index: ['archive', BOB],
        value: { archiveChatAction: { archived: false, messageRange: rangeOf(SECONDS) }, timestamp },
        formVersion: 3,
      },
    ],
    facts: [{ kind: 'chat_mark', chat: BOB, archived: false }],
  },
  {
    what: 'a chat that is pinned',
    change: toPinChange(LID, true, AT),
    collection: 'regular_low',
    entries: [{ index: ['pin_v1', LID], value: { pinAction: { pinned: true }, timestamp }, formVersion: 5 }],
    facts: [{ kind: 'chat_mark', chat: LID, pinned: true }],
  },
  ...(
    [
      ['for ever', FOR_EVER, { muted: true, muteEndTimestamp: -1 }],
      ['until a time', AT + 60_000, { muted: true, muteEndTimestamp: AT + 60_000 }],
      ['no longer', 0, { muted: false }],
    ] as const
  ).map(([when, mutedUntilMs, muteAction]): WrittenChange => ({
    what: `a chat that is muted ${when}`,
    change: toMuteChange(BOB, mutedUntilMs, AT),
    collection: 'regular_high',
    entries: [{ index: ['mute', BOB], value: { muteAction, timestamp }, formVersion: 2 }],
    facts: [{ kind: 'chat_mark', chat: BOB, mutedUntilMs }],
  })),
];

const emptied = { kind: 'chat_emptied', chat: BOB, untilMs: AT - 5_000 };
const emptyings: readonly WrittenChange[] = [
  ...(
    [
      ['with its stars', false, '1'],
      ['without its stars', true, '0'],
    ] as const
  ).map(([how, keptStarred, written]): WrittenChange => ({
    what: `a chat that is cleared ${how}`,
    change: toClearChange(BOB, keptStarred, inChat, AT),
    collection: 'regular_high',
    entries: [
      {
        index: ['clearChat', BOB, written, '0'],
        value: { clearChatAction: { messageRange: bobs }, timestamp },
        formVersion: 6,
      },
    ],
    facts: [{ ...emptied, how: 'cleared', keptStarred }],
  })),
  {
    what: 'a chat that is deleted',
    change: toDeleteChatChange(BOB, inChat, AT),
    collection: 'regular_high',
    entries: [
      {
        index: ['deleteChat', BOB, '1'],
        value: { deleteChatAction: { messageRange: bobs }, timestamp },
        formVersion: 6,
      },
    ],
    facts: [{ ...emptied, how: 'deleted' }],
  },
];

const ada = { fullName: 'Ada Lovelace', firstName: 'Ada', saveOnPhone: true } as const;
const addressBook: readonly WrittenChange[] = [
  {
    what: 'a person who is saved, by their number',
    change: toSaveContactChange([LID, BOB], ada, AT),
    collection: 'critical_unblock_low',
    entries: [
      {
        index: ['contact', BOB],
        value: {
          contactAction: {
            fullName: 'Ada Lovelace',
            firstName: 'Ada',
            lidJid: LID,
            saveOnPrimaryAddressbook: true,
          },
          timestamp,
        },
        formVersion: 2,
      },
    ],
    facts: [{ kind: 'contact_change', contact: BOB, contactAlias: LID, saved: 'Ada Lovelace' }],
  },
  {
    what: 'a person of whom the LID alone is known, in WhatsApp alone',
    change: toSaveContactChange([LID], { fullName: 'Ada', saveOnPhone: false }, AT),
    collection: 'critical_unblock_low',
    entries: [
      {
        index: ['contact', LID],
        value: { contactAction: { fullName: 'Ada', saveOnPrimaryAddressbook: false }, timestamp },
        formVersion: 2,
      },
    ],
    facts: [{ kind: 'contact_change', contact: LID, saved: 'Ada' }],
  },
  {
    what: 'a person who is taken out, under either address',
    change: toRemoveContactChange([BOB, LID], AT),
    collection: 'critical_unblock_low',
    entries: [BOB, LID].map((name) => ({
      index: ['contact', name],
      value: { contactAction: {}, timestamp },
      formVersion: 2,
      operation: 'remove',
    })),
    facts: [
      { kind: 'contact_change', contact: BOB, saved: '' },
      { kind: 'contact_change', contact: LID, saved: '' },
    ],
  },
];

const labels: readonly WrittenChange[] = [
  {
    what: 'a label that is made, where there is none of this number',
    change: toLabelChange('7', { name: 'To be paid', color: 3, deleted: false }, AT, true),
    collection: 'regular',
    entries: [
      {
        index: ['label_edit', '7'],
        value: { labelEditAction: { name: 'To be paid', color: 3, deleted: false }, timestamp },
        formVersion: 3,
        onlyIfNew: true,
      },
    ],
    facts: [{ kind: 'label_change', labelId: '7', name: 'To be paid', color: 3, isDeleted: false }],
  },
  {
    what: 'a label that is deleted',
    change: toLabelChange('7', { name: 'To be paid', color: 3, predefinedId: 2, deleted: true }, AT),
    collection: 'regular',
    entries: [
      {
        index: ['label_edit', '7'],
        value: { labelEditAction: { name: 'To be paid', color: 3, predefinedId: 2, deleted: true }, timestamp },
        formVersion: 3,
      },
    ],
    facts: [{ kind: 'label_change', labelId: '7', isDeleted: true }],
  },
  {
    what: 'a label on a chat',
    change: toLabelChatChange('7', GROUP, true, AT),
    collection: 'regular',
    entries: [
      {
        index: ['label_jid', '7', GROUP],
        value: { labelAssociationAction: { labeled: true }, timestamp },
        formVersion: 3,
      },
    ],
    facts: [{ kind: 'label_assign', labelId: '7', chat: GROUP, isSet: true }],
  },
  {
    what: 'a label that is taken from a message',
    change: toLabelMessageChange('7', inChat, false, AT),
    collection: 'regular',
    entries: [
      {
        index: ['label_message', '7', BOB, 'ONE', '0', '0'],
        value: { labelAssociationAction: { labeled: false }, timestamp },
        formVersion: 3,
      },
    ],
    facts: [{ kind: 'label_assign', labelId: '7', chat: BOB, stanzaId: 'ONE', isSet: false }],
  },
];

/** All changes that are written: the table of the whole test. */
export const writtenChanges: readonly WrittenChange[] = [
  ...messageChanges,
  ...chatChanges,
  ...emptyings,
  ...addressBook,
  ...labels,
];

/** An entry as another device reads it. */
export function heardAs({ index, value, operation = 'set' }: StateEntry): Mutation {
  return {
    operation,
    index,
    value,
    indexMac: 'mac',
    valueMac: Buffer.from('mac'),
    keyId: Buffer.from('key'),
  };
}
