import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { eventSchema, type TenantEvent } from '../../../shared/event/event.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { toPastMessage } from '../../../shared/history/toPastMessage.ts';
import { PastMessages } from '../../../shared/message/pastMessages.ts';
import { toMessageFacts } from '../../../worker/socket/wire/messageFacts.ts';
import { aBatch, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { sealWith } from '../../shared/wire/sealing.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const BOB = '4915100000002@s.whatsapp.net';
const BOB_LID = '222@lid';
const SECRET = Buffer.alloc(32, 7);
const LONG_AGO = 1_600_000_000;

describe('what is done to a message that a history brought', () => {
  const room = eventRoom();

  /** A message as a history has it, which is there under the LID, though the chat is named by number. */
  async function past(id: string, message: proto.IMessage) {
    const key = { remoteJid: BOB, fromMe: false, id };
    const bytes = proto.WebMessageInfo.encode({
      key,
      message,
      messageTimestamp: LONG_AGO,
      messageSecret: SECRET,
    }).finish();
    const within = {
      ...room.ids,
      chat: BOB_LID,
      chatAlias: BOB,
      own: ME,
      otherNameOf: () => undefined,
      nowMs: Date.now(),
    };
    const read = toPastMessage(bytes, within);
    if (typeof read === 'string') throw new Error(read);
    await new PastMessages(room.stores).write(room.ids, BOB_LID, [read], { source: 'test', nowMs: Date.now() });
    return read.message;
  }
  const tell = async (message: proto.IMessage, id = 'LATER'): Promise<TenantEvent | undefined> => {
    const attrs = { id, t: '1790000000', from: BOB, sender_lid: BOB_LID };
    const stanza: BinaryNode = { tag: 'message', attrs };
    const bytes = proto.Message.encode(message).finish();
    const facts = toMessageFacts(stanza, { outcome: 'unpadded', bytes }, ME).map(({ fact }) => fact);
    await recordFacts(room.stores, aBatch(room.ids, facts, room.nextBatchId()));
    const read = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    return read.events.map((event) => eventSchema.parse(event)).at(-1);
  };
  const keyOf = (id: string): proto.IMessageKey => ({ remoteJid: BOB, fromMe: true, id });

  it('changes it: an edit that only its secret opens takes its place', async () => {
    const message = await past('OLD', { conversation: 'At eight?' });
    const edited = proto.Message.encode({ conversation: 'At nine?' }).finish();
    const sealed = sealWith('edit', { secret: SECRET, stanzaId: 'OLD' }, { author: BOB, actor: BOB }, edited);
    const secretEncType = proto.Message.SecretEncryptedMessage.SecretEncType.MESSAGE_EDIT;

    const event = await tell({ secretEncryptedMessage: { targetMessageKey: keyOf('OLD'), ...sealed, secretEncType } });

    expect(event).toMatchObject({ type: 'message.edited' });
    expect(await room.stores.messages.find(room.ids.connectionId, message.messageId)).toMatchObject({
      messageId: message.messageId,
      content: { type: 'text', text: { body: 'At nine?' } },
    });
  });

  it('names it: a reaction, and an answer, lead to its id', async () => {
    const { messageId } = await past('OLD', { conversation: 'At eight?' });

    expect(await tell({ reactionMessage: { key: keyOf('OLD'), text: '👍' } }, 'R')).toMatchObject({
      data: { original: { messageId } },
    });
    const contextInfo = { stanzaId: 'OLD', participant: BOB, quotedMessage: { conversation: 'At eight?' } };
    expect(await tell({ extendedTextMessage: { text: 'Yes', contextInfo } }, 'A')).toMatchObject({
      data: { context: { replyTo: { messageId } } },
    });
  });

  it('deletes it, and what is said twice is told once', async () => {
    const { messageId } = await past('OLD', { conversation: 'At eight?' });
    const { REVOKE } = proto.Message.ProtocolMessage.Type;
    const revoke = { protocolMessage: { key: keyOf('OLD'), type: REVOKE } };

    expect(await tell(revoke)).toMatchObject({ type: 'message.deleted' });
    expect((await room.stores.messages.find(room.ids.connectionId, messageId))?.deletedAtMs).toBeDefined();
  });

  it('is nothing where somebody names a message of another chat, or of nobody', async () => {
    await past('OLD', { conversation: 'At eight?' });

    const event = await tell({ reactionMessage: { key: keyOf('NONE'), text: '👍' } });

    expect(event).toMatchObject({ type: 'message.received' });
    expect(JSON.stringify(event)).not.toContain('"original":{"messageId"');
  });
});
