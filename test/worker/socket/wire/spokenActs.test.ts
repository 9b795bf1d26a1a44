import { createHash } from 'node:crypto';
import { decryptEventResponse, decryptPollVote, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../../shared/content/content.ts';
import type { SentOriginal } from '../../../../shared/message/message.ts';
import { toContent } from '../../../../shared/wire/content.ts';
import type { OpenSocketOptions } from '../../../../worker/socket/port/socketOptions.ts';
import { toLeaving } from '../../../../worker/socket/sending/leavingMessages.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';

const ANN = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const ID = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H';
const AT = 1_790_000_000_000;
const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

const ours: SentOriginal = { messageId: ID as never, stanzaId: 'ONE', type: 'text' };
const theirs: SentOriginal = { ...ours, sender: '222@lid', senderAlias: ANN };
const ourKey = (remoteJid: string) => ({ remoteJid, fromMe: true, id: 'ONE' });
const theirKey = { remoteJid: ANN, fromMe: false, id: 'ONE' };
const memberKey = { remoteJid: GROUP, fromMe: false, id: 'ONE', participant: '222@lid' };

/** The message as it leaves: what is sealed, what is around it, and what a phone is told by it. */
async function leave(content: object, original: SentOriginal, chat: string, context?: object) {
  const kept = new Map<string, Uint8Array>();
  const session = {
    keepSent: async (id: string, bytes: Uint8Array) => (kept.has(id) ? 'kept_before' : (kept.set(id, bytes), 'kept')),
    findSent: async () => kept,
  } as unknown as OpenSocketOptions['session'];
  const request = {
    stanzaId: 'TWO' as never,
    content: content as OutboundContent,
    original,
    context: context as never,
  };
  const options = { session, random: systemRandom, clock: { ...systemClock, nowMs: () => AT } };
  const leaving = await toLeaving(request, { chat, me: ME }, options);
  await leaving.kept;
  const later = { ...options, clock: { ...systemClock, nowMs: () => AT + 60_000 } };
  const again = await toLeaving({ ...request, triedBefore: true }, { chat, me: ME }, later);
  const bytes = proto.Message.encode(leaving.message).finish();
  expect(Buffer.from(proto.Message.encode(again.message).finish())).toEqual(Buffer.from(bytes));
  expect({ ...again, kept: 0, message: 0 }).toEqual({ ...leaving, kept: 0, message: 0 });
  const message = proto.Message.toObject(proto.Message.decode(bytes), { longs: Number, bytes: String });
  return { message, bytes, attributes: leaving.attributes, nodes: leaving.nodes, told: toContent(bytes) };
}

type Case = readonly [
  what: string,
  content: Readonly<Record<string, unknown>>,
  original: SentOriginal,
  chat: string,
  message: object,
  edit: string | undefined,
  told: object,
];

const text = (body: string) => ({ type: 'text', text: { body } });
const about = { original: { stanzaId: 'ONE', byWriter: false } };
const byMember = { original: { stanzaId: 'ONE', byWriter: false, sender: '222@lid' } };
const own = { original: { stanzaId: 'ONE', byWriter: true } };
const edited = (key: object, editedMessage: object) => ({
  editedMessage: { message: { protocolMessage: { key, type: MESSAGE_EDIT, editedMessage, timestampMs: AT } } },
});

const cases: readonly Case[] = [
  [
    'a reaction',
    { type: 'reaction', reaction: { message_id: ID, emoji: '👍' } },
    theirs,
    ANN,
    { reactionMessage: { key: theirKey, text: '👍', senderTimestampMs: AT } },
    undefined,
    { content: { type: 'reaction', reaction: { emoji: '👍' } }, ...about },
  ],
  [
    'a reaction to the word of a member',
    { type: 'reaction', reaction: { message_id: ID, emoji: '👍' } },
    theirs,
    GROUP,
    { reactionMessage: { key: memberKey, text: '👍', senderTimestampMs: AT } },
    undefined,
    { content: { type: 'reaction', reaction: { emoji: '👍' } }, ...byMember },
  ],
  [
    'a reaction that is taken back',
    { type: 'reaction', reaction: { message_id: ID, emoji: '' } },
    ours,
    ANN,
    { reactionMessage: { key: ourKey(ANN), text: '', senderTimestampMs: AT } },
    '7',
    { content: { type: 'reaction', reaction: {} }, ...own },
  ],
  [
    'an edit of a text',
    { type: 'edit', edit: { message_id: ID, text: { body: 'At nine?' } } },
    ours,
    GROUP,
    edited(ourKey(GROUP), { extendedTextMessage: { text: 'At nine?' } }),
    '1',
    { act: 'edit', content: text('At nine?'), flags: ['edited'], ...own },
  ],
  [
    'an edit of a caption',
    { type: 'edit', edit: { message_id: ID, caption: 'this one' } },
    { ...ours, type: 'image' },
    ANN,
    edited(ourKey(ANN), { imageMessage: { caption: 'this one' } }),
    '1',
    { act: 'edit', content: { type: 'image', image: { caption: 'this one' } }, flags: ['edited'], ...own },
  ],
  [
    'a caption that is taken away',
    { type: 'edit', edit: { message_id: ID, caption: '' } },
    { ...ours, type: 'document' },
    ANN,
    edited(ourKey(ANN), { documentMessage: { caption: '' } }),
    '1',
    { act: 'edit', content: { type: 'document', document: {} }, flags: ['edited'], ...own },
  ],
  [
    'a deletion of our own',
    { type: 'revoke', revoke: { message_id: ID } },
    ours,
    ANN,
    { protocolMessage: { key: ourKey(ANN), type: REVOKE } },
    '7',
    { act: 'delete', ...own },
  ],
  [
    'a deletion as an administrator',
    { type: 'revoke', revoke: { message_id: ID } },
    theirs,
    GROUP,
    { protocolMessage: { key: memberKey, type: REVOKE } },
    '8',
    { act: 'delete', ...byMember },
  ],
  [
    'a pin',
    { type: 'pin', pin: { message_id: ID, type: 'pin', expiration_days: 30 } },
    theirs,
    GROUP,
    {
      pinInChatMessage: { key: memberKey, type: 1, senderTimestampMs: AT },
      messageContextInfo: { messageAddOnDurationInSecs: 2_592_000 },
    },
    '2',
    { content: { type: 'pin', pin: { type: 'pin', expiration_days: 30 } }, ...byMember },
  ],
  [
    'a pin as long as usual',
    { type: 'pin', pin: { message_id: ID, type: 'pin' } },
    ours,
    ANN,
    {
      pinInChatMessage: { key: ourKey(ANN), type: 1, senderTimestampMs: AT },
      messageContextInfo: { messageAddOnDurationInSecs: 604_800 },
    },
    '2',
    { content: { type: 'pin', pin: { type: 'pin', expiration_days: 7 } }, ...own },
  ],
  [
    'a pin that is taken down',
    { type: 'pin', pin: { message_id: ID, type: 'unpin' } },
    ours,
    ANN,
    {
      pinInChatMessage: { key: ourKey(ANN), type: 2, senderTimestampMs: AT },
      messageContextInfo: { messageAddOnDurationInSecs: 0 },
    },
    '2',
    { content: { type: 'pin', pin: { type: 'unpin' } }, ...own },
  ],
  [
    'a message that is kept',
    { type: 'keep', keep: { message_id: ID, type: 'keep' } },
    theirs,
    ANN,
    { keepInChatMessage: { key: theirKey, keepType: 1, timestampMs: AT } },
    undefined,
    { content: { type: 'keep', keep: { type: 'keep' } }, ...about },
  ],
  [
    'a message of ours that is kept no longer',
    { type: 'keep', keep: { message_id: ID, type: 'unkeep' } },
    ours,
    ANN,
    { keepInChatMessage: { key: ourKey(ANN), keepType: 2, timestampMs: AT } },
    '7',
    { content: { type: 'keep', keep: { type: 'unkeep' } }, ...own },
  ],
];

describe('an act on another message', () => {
  it.each(cases)('leaves as phones know it, the same at each try, without a secret: %s', async (...row) => {
    const [_what, content, original, chat, message, edit, told] = row;

    const left = await leave(content, original, chat);

    expect(left.message).toEqual(message);
    expect(left.attributes).toEqual(edit === undefined ? undefined : { edit });
    expect(left.told).toMatchObject(told);
  });

  // The seal calls people as the chat does. Baileys opens it with code of its own.
  const SECRET = Buffer.alloc(32, 5);
  const seal = (known: string) => ({ secret: SECRET.toString('base64url'), known });
  const places: readonly (readonly [string, SentOriginal, string, readonly [author: string, actor: string]])[] = [
    ['theirs, by number', { ...theirs, sender: ANN, seal: seal(ANN) }, ANN, [ANN, ME.phoneJid]],
    ['theirs, by LID', { ...theirs, seal: seal('222@lid') }, '222@lid', ['222@lid', ME.lid]],
    ['theirs in a group', { ...theirs, seal: seal('222@lid') }, GROUP, ['222@lid', ME.lid]],
    ['theirs in a group by number', { ...theirs, sender: ANN, seal: seal(ANN) }, GROUP, [ANN, ME.phoneJid]],
    ['ours, by number', { ...ours, seal: seal(ANN) }, ANN, [ME.phoneJid, ME.phoneJid]],
    ['ours, by LID', { ...ours, seal: seal('222@lid') }, '222@lid', [ME.lid, ME.lid]],
    ['ours in a group', { ...ours, seal: seal(GROUP) }, GROUP, [ME.lid, ME.lid]],
  ];

  it.each(places)('seals a vote in a poll as people are called there: %s', async (_what, original, chat, names) => {
    const content = { type: 'poll_vote', poll_vote: { message_id: ID, options: ['Rice', 'Soup 🍜'] } };

    const { bytes, attributes, nodes } = await leave(content, { ...original, type: 'poll' }, chat);

    const { pollUpdateMessage } = proto.Message.decode(bytes);
    const { selectedOptions } = decryptPollVote(pollUpdateMessage?.vote ?? {}, {
      pollCreatorJid: names[0],
      pollMsgId: 'ONE',
      pollEncKey: SECRET,
      voterJid: names[1],
    });
    const hashes = ['Rice', 'Soup 🍜'].map((option) => createHash('sha256').update(option).digest('hex'));
    expect((selectedOptions ?? []).map((hash) => Buffer.from(hash).toString('hex'))).toEqual(hashes);
    const isOurs = original.sender === undefined;
    expect(pollUpdateMessage?.pollCreationMessageKey).toMatchObject({ remoteJid: chat, fromMe: isOurs, id: 'ONE' });
    expect({ attributes, nodes }).toEqual({
      attributes: undefined,
      nodes: [{ tag: 'meta', attrs: { polltype: 'vote' } }],
    });
  });

  it.each(places)('seals an answer to an event likewise: %s', async (_what, original, chat, names) => {
    const content = { type: 'event_response', event_response: { message_id: ID, response: 'maybe', extra_guests: 2 } };

    const { bytes, attributes, nodes } = await leave(content, { ...original, type: 'event' }, chat);

    const { encEventResponseMessage } = proto.Message.decode(bytes);
    const answer = decryptEventResponse(encEventResponseMessage ?? {}, {
      eventCreatorJid: names[0],
      eventMsgId: 'ONE',
      eventEncKey: SECRET,
      responderJid: names[1],
    });
    expect(answer).toMatchObject({ response: 3, extraGuestCount: 2 });
    expect({ attributes, nodes }).toEqual({
      attributes: { type: 'event' },
      nodes: [{ tag: 'meta', attrs: { event_type: 'response' } }],
    });
  });

  it('mentions people in the new words', async () => {
    const content = { type: 'edit', edit: { message_id: ID, text: { body: '@4915100000002 at nine?' } } };

    const { message } = await leave(content, ours, GROUP, { mentions: [ANN] });

    expect(message).toMatchObject({
      editedMessage: {
        message: {
          protocolMessage: { editedMessage: { extendedTextMessage: { contextInfo: { mentionedJid: [ANN] } } } },
        },
      },
    });
  });
});
