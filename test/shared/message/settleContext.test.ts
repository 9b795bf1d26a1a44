import { describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/kernel/appError.ts';
import type { ConnectionId, MessageId } from '../../../shared/kernel/id.ts';
import type { Message } from '../../../shared/message/message.ts';
import type { Envelope } from '../../../shared/message/outboundMessage.ts';
import { settleContext } from '../../../shared/message/settleContext.ts';

const CONNECTION = 'con_1' as ConnectionId;
const ID = 'msg_01JDT7KZ3V9H2M8Q4S6T1R5N0P' as MessageId;
const [ANN, ANN_LID, BOB] = ['4915100000002@s.whatsapp.net', '222@lid', '4915100000003@s.whatsapp.net'];
const [GROUP, OTHER_GROUP] = ['120363041234567890@g.us', '120363041234567891@g.us'];
const ofAnn = (chat: string, content: object = { type: 'text', text: { body: 'hello' } }) =>
  ({ direction: 'in', messageId: ID, stanzaId: 'A1', chat, sender: ANN_LID, content }) as unknown as Message;
const ours = (to: string) =>
  ({
    direction: 'out',
    messageId: ID,
    stanzaId: 'B1',
    to,
    content: { type: 'text', text: { body: 'ours' } },
  }) as unknown as Message;

const settle = (envelope: Omit<Envelope, 'to'>, to: string, original?: Message) =>
  settleContext({ to, ...envelope }, to, {
    connectionId: CONNECTION,
    messages: {
      find: async (connectionId, messageId) => (connectionId === CONNECTION && messageId === ID ? original : undefined),
    },
  });
const answer = { context: { message_id: ID } };

describe('the context of a request', () => {
  it('is none where nothing is asked for, and reads no message then', async () => {
    const messages = { find: () => Promise.reject(new Error('it was read')) };

    expect(
      await settleContext({ to: ANN, mentions: [], expires_in: 0, mention_all: false }, ANN, {
        messages,
        connectionId: CONNECTION,
      }),
    ).toBeUndefined();
  });

  it.each<[string, Message, string, object]>([
    [
      'a word of the other one',
      ofAnn(ANN_LID),
      ANN,
      { stanzaId: 'A1', sender: ANN_LID, quoted: { type: 'text', text: { body: 'hello' } } },
    ],
    ['a word of ours', ours(ANN), ANN, { stanzaId: 'B1', quoted: { type: 'text', text: { body: 'ours' } } }],
    ['a word in the same group', ofAnn(GROUP), GROUP, { stanzaId: 'A1', sender: ANN_LID }],
    ['a word in a group, to its author alone', ofAnn(GROUP), ANN_LID, { sender: ANN_LID, chat: GROUP }],
    ['a word in another group', ofAnn(OTHER_GROUP), GROUP, { sender: ANN_LID, chat: OTHER_GROUP }],
    [
      'a status, to its author',
      ofAnn('status@broadcast'),
      ANN_LID,
      { sender: ANN_LID, chat: 'status@broadcast', inStatus: true },
    ],
    ['a word to us, in a group', ofAnn(ANN), GROUP, { sender: ANN_LID, chat: ANN }],
  ])('names what is answered: %s', async (_what, original, to, replyTo) => {
    const context = await settle(answer, to, original);

    expect(context).toMatchObject({ replyTo: { messageId: ID, ...replyTo } });
    const hasChat = (context as { replyTo: object }).replyTo;
    expect('chat' in hasChat).toBe('chat' in replyTo);
  });

  it('keeps the words alone of what is long', async () => {
    const long = ofAnn(ANN_LID, { type: 'text', text: { body: '😀'.repeat(5_000) } });
    const many = ofAnn(ANN_LID, { type: 'poll', poll: { name: 'Which?', options: ['x'.repeat(5_000)] } });

    expect(await settle(answer, ANN, long)).toMatchObject({
      replyTo: { quoted: { text: { body: '😀'.repeat(1_024) } } },
    });
    expect(await settle(answer, ANN, many)).toMatchObject({
      replyTo: { quoted: { type: 'text', text: { body: 'Which?' } } },
    });
  });

  it.each([
    ['of another connection, or gone', answer, 'message_not_found', 'context.message_id'],
    ['that is no id', { context: { message_id: '3EB0C767D097B7B3E5D1' } }, 'message_not_found', 'context.message_id'],
  ])('is refused where it answers a message %s', async (_what, envelope, code, field) => {
    const refusal = await settle(envelope, ANN);

    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({ code, fields: [{ field }] });
  });

  it.each<[string, Omit<Envelope, 'to'>, string, string]>([
    ['a group is mentioned', { mentions: [BOB, GROUP] }, GROUP, 'mentions.1'],
    ['nobody is mentioned', { mentions: ['bob'] }, GROUP, 'mentions.0'],
    ['everybody is mentioned where there is one', { mention_all: true }, ANN, 'mention_all'],
    ['a person is called a group', { recipient_type: 'group' }, ANN, 'recipient_type'],
  ])('is refused where %s', async (_what, envelope, to, field) => {
    expect(await settle(envelope, to)).toMatchObject({ code: 'invalid_request', fields: [{ field }] });
  });

  it('writes people by their addresses', async () => {
    expect(await settle({ mentions: ['+49 151 00000003', ANN_LID], recipient_type: 'group' }, GROUP)).toEqual({
      mentions: [BOB, ANN_LID],
    });
  });
});
