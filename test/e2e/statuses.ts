import { proto } from '@whiskeysockets/baileys';
import { beforeAll, expect, it } from 'vitest';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import type { WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import { STATUS } from '../whatsapp/broadcast.ts';
import type { TranscriptEntry } from '../whatsapp/phone.ts';
import type { PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const BOB = '4915100000003';
const CEM = '4915100000004';
const NOBODY = '4915100000099';
const numberOf = (digits: string) => `${digits}@s.whatsapp.net`;

type Json = Readonly<Record<string, unknown>>;

/** What happens with statuses, on a stack that has these phones. */
export function statusCases(stage: () => PairedStack): void {
  let receiver: WebhookReceiver;
  let phones: WhatsAppClient;
  let api: ApiClient;
  let connection = '';
  beforeAll(async () => {
    ({ receiver, phones, api, connection } = stage());
    await phones.addPhone(CEM, 'Cem');
  });

  const path = (): string => `/v1/connections/${connection}/messages`;
  const post = (request: object) => api.call('POST', path(), request);
  const send = async (request: object): Promise<Json> => {
    const { status, json } = await post(request);
    expect({ status, json }).toMatchObject({ status: 202, json: { status: 'queued' } });
    return json;
  };
  const statusFor = (body: string, audience: readonly string[], more: object = {}) =>
    send({ to: 'status', type: 'text', text: { body }, status: { audience, ...more } });
  const shownTo = (number: string, id: unknown): Promise<TranscriptEntry> =>
    until(
      `status ${String(id)} at ${number}`,
      async () => (await phones.messages(number)).find((entry) => entry.id === id),
      (found) => found !== undefined,
    ) as Promise<TranscriptEntry>;
  const reaches = (id: unknown, state: string): Promise<Json> =>
    until(
      `message ${String(id)} is ${state}`,
      () => api.must('GET', `${path()}/${String(id)}`),
      ({ status }) => status === state,
    );
  const receiptsOf = (id: unknown): Promise<Json> => api.must('GET', `${path()}/${String(id)}/receipts`);
  const toldBy = (stanzaId: string): Promise<{ readonly type: string; readonly data: Json }> =>
    until(
      `webhook of ${stanzaId}`,
      () => receiver.events.find(({ type, data }) => type !== 'message.status' && data['stanzaId'] === stanzaId),
      (found) => found !== undefined,
    ) as Promise<{ readonly type: string; readonly data: Json }>;

  it('posts a status, which goes to its audience, to nobody else, and says who saw it', async () => {
    const audience = [`+${ANN}`, '+49 151 0000 0002', numberOf(BOB), `+${NOBODY}`, `+${SHOP}`];

    const sent = await statusFor('Sale until six.', audience, { background_color: '#1F7AEC', font: 2 });

    expect(sent).toMatchObject({ to: STATUS, chat: { id: STATUS }, look: { backgroundColor: '#1f7aec', font: 2 } });
    const shown = [await shownTo(ANN, sent['stanzaId']), await shownTo(BOB, sent['stanzaId'])];
    expect(shown).toMatchObject([
      { chat: STATUS, from: SHOP, text: 'Sale until six.', beside: { meta: { status_setting: 'contacts' } } },
      { chat: STATUS, from: SHOP, text: 'Sale until six.' },
    ]);
    const { extendedTextMessage } = proto.Message.decode(Buffer.from(shown[0]?.plaintext ?? '', 'base64'));
    expect(extendedTextMessage).toMatchObject({ backgroundArgb: 0xff_1f_7a_ec, textArgb: 0xff_ff_ff_ff, font: 2 });
    expect(await shownTo(SHOP, sent['stanzaId'])).toMatchObject({ chat: STATUS, fromMe: true });
    await reaches(sent['id'], 'delivered');
    await phones.read(ANN, String(sent['stanzaId']));
    const seen = await until(
      'that Ann saw it',
      () => receiptsOf(sent['id']),
      ({ members }) => (members as Json)['read'] === 1,
    );
    expect(seen).toMatchObject({
      members: { total: 2, delivered: 2, read: 1, played: 0 },
      data: [
        { recipient: { phoneNumber: `+${ANN}`, lid: expect.any(String) }, readAt: expect.any(String) },
        { recipient: { phoneNumber: `+${BOB}` }, deliveredAt: expect.any(String) },
        { recipient: { phoneNumber: `+${NOBODY}` }, problem: 'no_account' },
      ],
    });
    await phones.read(BOB, String(sent['stanzaId']));
    expect(await reaches(sent['id'], 'read')).toMatchObject({ readAt: expect.any(String) });
    expect(await phones.messages(CEM)).toEqual([]);
    expect(
      receiver.events.filter(({ type, data }) => type === 'message.echo' && data['stanzaId'] === sent['stanzaId']),
    ).toEqual([]);
  });

  it('hears who answers and likes a status, and takes it back from those who have it', async () => {
    const sent = await statusFor('Who is there?', [`+${ANN}`, `+${BOB}`]);
    const stanzaId = String(sent['stanzaId']);
    await shownTo(BOB, stanzaId);
    const author = (await shownTo(ANN, stanzaId)).addressedBy;
    expect(author).toBe('lid');
    const { lid = '' } = (await phones.phones()).find(({ number }) => number === SHOP) ?? {};
    const key = { remoteJid: STATUS, fromMe: false, id: stanzaId, participant: lid };
    const reaction = { reactionMessage: { key, text: '💚' } };
    const like = await phones.broadcast(ANN, [SHOP], proto.Message.encode(reaction).finish());
    const inChat = await phones.raw(BOB, {
      to: SHOP,
      plaintext: Buffer.from(proto.Message.encode(reaction).finish()).toString('base64'),
    });
    const quoting = {
      extendedTextMessage: {
        text: 'Me!',
        contextInfo: { stanzaId, participant: lid, remoteJid: STATUS, quotedMessage: { conversation: 'Who' } },
      },
    };
    const reply = await phones.raw(ANN, {
      to: SHOP,
      plaintext: Buffer.from(proto.Message.encode(quoting).finish()).toString('base64'),
    });

    const told = [await toldBy(like), await toldBy(inChat.id), await toldBy(reply.id)];

    const original = { messageId: sent['id'], stanzaId };
    expect(told.map(({ data }) => data)).toMatchObject([
      {
        chat: { id: STATUS },
        content: { type: 'reaction', reaction: { message_id: sent['id'], emoji: '💚' } },
        original,
      },
      { chat: { phoneNumber: `+${BOB}` }, content: { reaction: { message_id: sent['id'] } }, original },
      { chat: { phoneNumber: `+${ANN}` }, context: { replyTo: { messageId: sent['id'], stanzaId, inStatus: true } } },
    ]);
    const revoke = await send({ type: 'revoke', revoke: { message_id: sent['id'] } });
    const gone = [await shownTo(ANN, revoke['stanzaId']), await shownTo(BOB, revoke['stanzaId'])];
    expect(gone).toMatchObject([
      { chat: STATUS, edit: '7' },
      { chat: STATUS, edit: '7' },
    ]);
    const { protocolMessage } = proto.Message.decode(Buffer.from(gone[0]?.plaintext ?? '', 'base64'));
    expect(protocolMessage?.key).toMatchObject({ remoteJid: STATUS, fromMe: true, id: stanzaId });
    await reaches(revoke['id'], 'delivered');
    expect(await api.must('GET', `${path()}/${String(sent['id'])}`)).toMatchObject({ deletedAt: expect.any(String) });
    expect(await post({ type: 'reaction', reaction: { message_id: sent['id'], emoji: '👍' } })).toMatchObject({
      status: 409,
      json: { code: 'act_not_possible' },
    });
  });

  it('answers the status of somebody else in the chat with that person', async () => {
    const posted = await phones.broadcast(BOB, [SHOP], 'New bicycles.');
    const { data } = await toldBy(posted);

    const answer = await send({
      to: `+${BOB}`,
      type: 'text',
      text: { body: 'How much?' },
      context: { message_id: data['messageId'] },
    });

    expect(answer).toMatchObject({ context: { replyTo: { messageId: data['messageId'], inStatus: true } } });
    expect(await shownTo(BOB, answer['stanzaId'])).toMatchObject({ chat: SHOP, text: 'How much?' });
  });
}
