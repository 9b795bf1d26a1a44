import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { Content, OutboundContent } from '../../../../shared/content/content.ts';
import type { MessageId, StanzaId } from '../../../../shared/kernel/id.ts';
import type { SentContext } from '../../../../shared/message/sentContext.ts';
import { toContent } from '../../../../shared/wire/content.ts';
import { toContextInfo } from '../../../../worker/socket/wire/contextInfo.ts';
import { toWire } from '../../../../worker/socket/wire/spokenKinds.ts';
import { requests } from '../../../shared/message/requests.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const [ANN, ANN_LID, GROUP] = ['4915100000002@s.whatsapp.net', '222@lid', '120363041234567890@g.us'];
const answered = (quoted: object, more: object = {}): SentContext => ({
  replyTo: { messageId: 'msg_1' as MessageId, stanzaId: 'A1' as StanzaId, quoted: quoted as Content, ...more },
});
const text = { type: 'text', text: { body: 'hello' } } as const;

describe('the context of a message that is sent', () => {
  it('is none where none is asked for', () => {
    expect(toContextInfo(undefined, ANN, ME)).toBeUndefined();
  });

  it('mentions people, or everybody, and says how long it stays', () => {
    expect(toContextInfo({ forwarded: 5 }, GROUP, ME)).toEqual({ forwardingScore: 5, isForwarded: true });
    expect(toContextInfo({ mentions: [ANN], mentionsEveryone: true, expiresIn: 604_800 }, GROUP, ME)).toEqual({
      mentionedJid: [ANN],
      nonJidMentions: 1,
      expiration: 604_800,
    });
  });

  it.each([
    ['in a chat by number', ANN, ME.phoneJid],
    ['in a chat by LID', ANN_LID, ME.lid],
    ['in a group', GROUP, ME.lid],
  ])('names us as the author of our own words: %s', (_where, chat, participant) => {
    expect(toContextInfo(answered(text), chat, ME)).toMatchObject({ stanzaId: 'A1', participant });
  });

  it('quotes a status as one, by its author, in the chat with whom it is answered', () => {
    const status = answered(text, { sender: ANN_LID, chat: 'status@broadcast', inStatus: true });

    expect(toContextInfo(status, ANN, ME)).toEqual({
      stanzaId: 'A1',
      participant: ANN_LID,
      remoteJid: 'status@broadcast',
      quotedMessage: { conversation: 'hello' },
    });
  });

  it('names the author of others, and the group where it answers elsewhere', () => {
    expect(toContextInfo(answered(text, { sender: ANN_LID, chat: GROUP }), ANN, ME)).toEqual({
      stanzaId: 'A1',
      participant: ANN_LID,
      remoteJid: GROUP,
      quotedMessage: { conversation: 'hello' },
    });
  });

  it.each<[string, object, object]>([
    ['a place', requests['a place'] ?? {}, { locationMessage: { name: 'Null' } }],
    ['a poll', requests['a quiz'] ?? {}, { pollCreationMessage: { name: 'Capital?' } }],
    [
      'an event that was received without a time',
      { type: 'event', event: { name: 'x' } },
      { eventMessage: { name: 'x' } },
    ],
    ['what has no form', { type: 'unsupported', unsupported: { kind: 'sticker' } }, { conversation: 'sticker' }],
    ['what has no words', { type: 'phone_request', phone_request: {} }, { conversation: '[phone_request]' }],
    ['nonsense', { type: 'constructor', constructor: 1 }, { conversation: '[constructor]' }],
  ])('quotes what is known of the other message: %s', (_what, quoted, message) => {
    expect(toContextInfo(answered(quoted), ANN, ME)?.quotedMessage).toMatchObject(message);
  });

  it.each(Object.entries(requests).filter(([, { type }]) => type !== 'phone_shared'))(
    'goes with each kind: %s',
    async (_what, request) => {
      const context: SentContext = { ...answered(text, { sender: ANN }), mentions: [ANN], expiresIn: 86_400 };
      const contextInfo = toContextInfo(context, ANN, ME) ?? {};

      const { message } = await toWire(request as unknown as OutboundContent, { chat: ANN, contextInfo });

      expect(toContent(proto.Message.encode(message).finish())?.context).toEqual({
        replyTo: { stanzaId: 'A1', sender: ANN },
        mentions: [ANN],
        expiresIn: 86_400,
      });
    },
  );
});
