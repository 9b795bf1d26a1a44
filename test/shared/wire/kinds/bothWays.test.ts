import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { field, toldOf, type Golden } from '../golden.ts';

const question = {
  name: 'Lunch?',
  options: [{ optionName: 'Rice' }, { optionName: 'Soup' }],
  selectableOptionsCount: 1,
};
const poll = { type: 'poll', poll: { name: 'Lunch?', options: ['Rice', 'Soup'], selectable_count: 1 } };
const told = (content: object, more: object = {}) => ({ content, flags: [], ...more });
const unsupported = (kind: string) => ({ type: 'unsupported', unsupported: { kind } });

const golden: readonly Golden[] = [
  ['a poll', { pollCreationMessage: question }, told(poll)],
  ['a poll of an announcement group', { pollCreationMessageV2: question }, told(poll)],
  ['a poll of one answer', { pollCreationMessageV3: question }, told(poll)],
  [
    'a poll in the wrapper that it comes in',
    { pollCreationMessageV4: { message: { pollCreationMessageV3: question } } },
    { content: poll, flags: ['pollCreation'] },
  ],
  ['a poll with pictures', { pollCreationMessageV5: question }, told(poll)],
  [
    'a poll that Baileys does not know',
    field(119, proto.Message.PollCreationMessage.encode(question).finish()),
    told(poll),
  ],
  ['a quiz that came without its answer', { pollCreationMessageV3: { ...question, pollType: 1 } }, told(poll)],
  ['a poll without anything', { pollCreationMessage: {} }, told(unsupported('pollCreation'))],
  [
    'an event that is off',
    {
      eventMessage: { name: 'Party', isCanceled: true, startTime: 1_893_607_200, contextInfo: { expiration: 86_400 } },
    },
    told(
      { type: 'event', event: { name: 'Party', canceled: true, starts_at: '2030-01-02T18:00:00.000Z' } },
      { context: { expiresIn: 86_400 } },
    ),
  ],
  [
    'an event at no time',
    { eventMessage: { name: 'x', startTime: 9e15 } },
    told({ type: 'event', event: { name: 'x' } }),
  ],
  ['an event without anything', { eventMessage: {} }, told(unsupported('event'))],
  [
    'a place beyond the poles',
    { locationMessage: { degreesLatitude: 91, degreesLongitude: 1 } },
    told(unsupported('location')),
  ],
  ['a place without degrees', { locationMessage: { name: 'x' } }, told(unsupported('location'))],
  [
    'a text with a link that its writer shows',
    {
      extendedTextMessage: {
        text: 'see a.b',
        matchedText: 'a.b',
        title: 'T',
        description: 'D',
        jpegThumbnail: Buffer.of(1),
      },
    },
    told({ type: 'text', text: { body: 'see a.b', preview: { url: 'a.b', title: 'T', description: 'D' } } }),
  ],
  [
    'a text with a bare link',
    { extendedTextMessage: { text: 'see a.b', matchedText: 'a.b' } },
    told({ type: 'text', text: { body: 'see a.b' } }),
  ],
  [
    'an invitation into a community',
    { groupInviteMessage: { groupJid: '1@g.us', inviteCode: 'x', groupName: 'G', groupType: 1 } },
    told({ type: 'group_invite', group_invite: { group_id: '1@g.us', code: 'x', group_name: 'G', community: true } }),
  ],
  ['an invitation to nowhere', { groupInviteMessage: { groupName: 'G' } }, told(unsupported('groupInvite'))],
  [
    'contacts with a card and without',
    {
      contactsArrayMessage: { displayName: '2', contacts: [{ displayName: 'A', vcard: 'FN:B' }, { displayName: 'C' }] },
    },
    told({ type: 'contacts', contacts: [{ name: { formatted_name: 'A' } }, { name: { formatted_name: 'C' } }] }),
  ],
  ['contacts without any', { contactsArrayMessage: { displayName: '0' } }, told(unsupported('contactsArray'))],
];

describe('a kind that goes both ways', () => {
  it.each(golden)('is told as it would be asked for: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });
});
