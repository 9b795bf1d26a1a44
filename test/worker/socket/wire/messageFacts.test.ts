import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { Me } from '../../../../worker/socket/wire/envelope.ts';
import { toMessageFacts as toTold } from '../../../../worker/socket/wire/messageFacts.ts';

const ANN = '4915100000001';
const BOB_JID = '4915100000002@s.whatsapp.net';
const me: Me = { phoneJid: `${ANN}@s.whatsapp.net`, lid: '111@lid' };

const aStanza = (attrs: Record<string, string>): BinaryNode => ({ tag: 'message', attrs: { id: 'ANSWER', ...attrs } });

function toMessageFacts(
  stanza: BinaryNode,
  message: proto.IMessage,
  own: Me,
  stanzaOf?: (stanzaId: string) => BinaryNode | undefined,
) {
  const bytes = proto.Message.encode(message).finish();
  return toTold(stanza, { outcome: 'unpadded', bytes }, own, stanzaOf).map(({ fact }) => fact);
}

/** What a phone answers when it is asked for a message that came without its content. */
function anAnswer(key: proto.IMessageKey, message: proto.IMessage = { conversation: 'the content' }): proto.IMessage {
  const webMessageInfoBytes = proto.WebMessageInfo.encode({ key, message, messageTimestamp: 1_790_000_000 }).finish();
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
      peerDataOperationRequestResponseMessage: {
        peerDataOperationResult: [{ placeholderMessageResendResponse: { webMessageInfoBytes } }],
      },
    },
  };
}
const ofBob = { remoteJid: BOB_JID, fromMe: false, id: 'ID' };
const fromPhone = aStanza({ from: me.phoneJid, category: 'peer' });

describe('what our phone brings later', () => {
  it.each([me.phoneJid, '111@lid'])('becomes the facts of those messages when it comes from %s', (from) => {
    const facts = toMessageFacts(aStanza({ from, category: 'peer' }), anAnswer(ofBob), me);

    expect(facts).toEqual([
      expect.objectContaining({
        stanzaId: 'ID',
        atMs: 1_790_000_000_000,
        chat: BOB_JID,
        sender: BOB_JID,
        fromMe: false,
        content: { type: 'text', text: { body: 'the content' } },
      }),
    ]);
  });

  it.each([
    ['a contact', { from: BOB_JID }],
    ['a contact by LID', { from: '222@lid' }],
    ['another of our devices', { from: `${ANN}:7@s.whatsapp.net` }],
    ['a member of a group', { from: '1@g.us', participant: '222@lid' }],
    ['ourselves in a group', { from: '1@g.us', participant: me.phoneJid }],
  ])('is believed from nobody else: %s', (_who, attrs) => {
    expect(toMessageFacts(aStanza(attrs), anAnswer(ofBob), me)).toEqual([]);
  });

  it('has the key of the message, whether or not its stanza is still known', () => {
    const stanza = aStanza({ id: 'ID', from: BOB_JID, t: '1790000000', sender_lid: '222@lid', notify: 'Bob' });
    const [direct] = toMessageFacts(stanza, { conversation: 'the content' }, me);

    const [known] = toMessageFacts(fromPhone, anAnswer(ofBob), me, () => stanza);
    const [unknown] = toMessageFacts(fromPhone, anAnswer(ofBob), me);

    expect(known).toEqual(direct);
    expect(unknown?.key).toBe(direct?.key);
  });

  it.each([
    ['a member of a group', { from: '1@g.us', participant: '222@lid', participant_username: 'bob.shop' }, 'bob.shop'],
    ['no handle', { from: '1@g.us', participant: '222@lid', participant_username: 'bob shop\n' }, undefined],
    [
      'nobody, by one that is too long',
      { from: '1@g.us', participant: '222@lid', participant_username: 'b'.repeat(65) },
      undefined,
    ],
    ['ourselves', { from: '1@g.us', participant: me.phoneJid, participant_username: 'ann' }, undefined],
    ['who is no sender', { from: BOB_JID, recipient_username: 'ann', peer_recipient_username: 'ann' }, undefined],
  ])('has the handle that the server writes of %s', (_whom, attrs, expected) => {
    const stanza = aStanza({ id: 'ID', t: '1790000000', ...attrs });

    const [fact] = toMessageFacts(stanza, { conversation: 'hello' }, me);

    expect(fact?.senderUsername).toBe(expected);
  });

  it('takes nothing from the stanza of another chat that has the same id', () => {
    const stanza = aStanza({ id: 'ID', from: '4915100000003@s.whatsapp.net', t: '1790000000' });

    const [fact] = toMessageFacts(fromPhone, anAnswer(ofBob), me, () => stanza);

    expect(fact?.chat).toBe(BOB_JID);
  });

  it.each([
    ['what we wrote', { remoteJid: BOB_JID, fromMe: true, id: 'ID' }, me.phoneJid],
    ['what we wrote to a LID', { remoteJid: '222@lid', fromMe: true, id: 'ID' }, '111@lid'],
    ['a group', { remoteJid: '1@g.us', participant: '222:3@lid', id: 'ID' }, '222@lid'],
  ])('names who wrote it: %s', (_what, key, sender) => {
    expect(toMessageFacts(fromPhone, anAnswer(key), me)).toMatchObject([{ chat: key.remoteJid, sender }]);
  });

  it.each([
    ['without key', {}],
    ['without chat', { id: 'ID' }],
  ])('is left out %s', (_what, key) => {
    expect(toMessageFacts(fromPhone, anAnswer(key), me)).toEqual([]);
  });
});

describe('the file of a message', () => {
  const imageMessage = { directPath: '/m1/v/1', fileSha256: Buffer.alloc(32, 1), mimetype: 'image/jpeg' };
  const filesOf = (from: string, image: proto.Message.IImageMessage) =>
    toMessageFacts(aStanza({ from }), { imageMessage: image }, me).flatMap(({ files = [] }) => files);

  it('lies there as it is in a channel, where it has no key', () => {
    expect(filesOf('1@newsletter', imageMessage)).toMatchObject([{ path: '/m1/v/1', plain: true }]);
  });

  it.each([
    ['a channel has a key all the same', '1@newsletter', { ...imageMessage, mediaKey: Buffer.alloc(32, 2) }],
    ['a person has no key', BOB_JID, imageMessage],
  ])('does not, where what comes from %s', (_why, from, image) => {
    const [file] = filesOf(from, image);

    expect(file).toMatchObject({ path: '/m1/v/1' });
    expect(file?.plain).toBeUndefined();
  });
});
