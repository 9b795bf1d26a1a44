import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import type { WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import type { OutboundContent } from '../../shared/content/content.ts';
import { toContent } from '../../shared/wire/content.ts';
import { sealWith } from '../shared/wire/sealing.ts';
import { toWire } from '../../worker/socket/wire/spokenKinds.ts';
import { interactives, requests } from '../shared/message/requests.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import type { TranscriptEntry } from '../whatsapp/phone.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const BOB = '4915100000003';
const POLL = { polltype: 'creation' };
/** What stands beside each kind in its stanza, where anything does. */
const META: Readonly<Record<string, object>> = { poll: { meta: POLL }, event: { meta: { event_type: 'creation' } } };

type Json = Readonly<Record<string, unknown>>;

describe('kinds that go both ways, through every process of the embedded stack', () => {
  let stage: PairedStack;
  let receiver: WebhookReceiver;
  let phones: WhatsAppClient;
  let api: ApiClient;
  let connection = '';
  let group = '';
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN, BOB);
    ({ receiver, phones, api, connection } = stage);
    group = (await phones.addGroup(ANN, 'Customers', [SHOP, BOB])).id;
  });
  afterAll(() => stage.stop());

  const path = (): string => `/v1/connections/${connection}/messages`;
  const send = async (request: object): Promise<Json> => {
    const { status, json } = await api.call('POST', path(), { to: `+${ANN}`, ...request });
    expect({ status, json }).toMatchObject({ status: 202, json: { status: 'queued' } });
    return json;
  };
  const shownTo = (number: string, ids: readonly unknown[]): Promise<readonly TranscriptEntry[]> =>
    until(
      'all messages',
      async () => {
        const shown = await phones.messages(number);
        return ids.flatMap((id) => shown.find((entry) => entry.id === id) ?? []);
      },
      (found) => found.length === ids.length,
    );
  /** What a phone makes of a message, with all that stood around it. */
  const readBy = ({ kind, text, plaintext = '', beside, stanzaType }: TranscriptEntry) =>
    kind === 'text' ? { text } : { ...toContent(Buffer.from(plaintext, 'base64')), beside, stanzaType };

  it('sends each kind, and the phone shows what was asked', async () => {
    const all = Object.values(requests);
    const ids: unknown[] = [];
    for (const request of all) ids.push((await send(request))['stanzaId']);

    const shown = (await shownTo(ANN, ids)).map(readBy);

    for (const [index, request] of all.entries()) expect(shown[index]).toMatchObject(asRead(request));
    expect(shown.length).toBe(all.length);
  });

  it('sends buttons and lists as what the request says, and shows them as what they were', async () => {
    const asText = { type: 'interactive', interactive: { ...interactives.button, fallback: 'text' } };
    const asPoll = { type: 'interactive', interactive: { ...interactives.list, fallback: 'poll' } };
    const sent = [await send(asText), await send(asPoll)];

    const shown = (
      await shownTo(
        ANN,
        sent.map(({ stanzaId }) => stanzaId),
      )
    ).map(readBy);
    const refused = await api.call('POST', path(), {
      to: `+${ANN}`,
      type: 'interactive',
      interactive: interactives.button,
    });

    expect(shown[0]).toEqual({ text: '*Delivery*\n\nShall we come?\n\n1. Yes\n2. No\n\n_Thank you_' });
    expect(shown[1]).toMatchObject({
      content: { type: 'poll', poll: { name: 'When?', options: ['Noon', 'Evening', 'Morning'] } },
    });
    expect(sent.map(({ content }) => content)).toEqual([asText, asPoll]);
    expect({ status: refused.status, code: refused.json['code'] }).toEqual({
      status: 422,
      code: 'not_possible_on_linked_devices',
    });
  });

  it('tells as a choice what a phone answers to buttons: by number, by quoted title, by vote', async () => {
    const asText = { type: 'interactive', interactive: { ...interactives.button, fallback: 'text' } };
    const asPoll = { type: 'interactive', interactive: { ...interactives.list, fallback: 'poll' } };
    const [question, poll] = [await send(asText), await send(asPoll)];
    const [, shownPoll] = await shownTo(ANN, [question['stanzaId'], poll['stanzaId']]);
    await until(
      'the question to be sent',
      () => api.must('GET', `${path()}/${String(question['id'])}`),
      ({ status }) => status !== 'queued' && status !== 'sending',
    );
    const byNumber = await phones.write(ANN, SHOP, '2');
    const contextInfo = {
      stanzaId: String(question['stanzaId']),
      participant: `${SHOP}@s.whatsapp.net`,
      quotedMessage: { conversation: 'Shall we come?' },
    };
    await phones.raw(ANN, {
      to: SHOP,
      plaintext: encoded({ extendedTextMessage: { text: 'yes', contextInfo } }),
      id: 'BY-TITLE',
    });
    const again = await phones.write(ANN, SHOP, '1');
    const { secret = new Uint8Array() } = toContent(Buffer.from(shownPoll?.plaintext ?? '', 'base64')) ?? {};
    const names = { author: `${SHOP}@s.whatsapp.net`, actor: `${ANN}@s.whatsapp.net` };
    const bytes = proto.Message.PollVoteMessage.encode({ selectedOptions: [hashOf('Evening')] }).finish();
    const vote = sealWith('vote', { secret, stanzaId: String(poll['stanzaId']) }, names, bytes);
    const pollCreationMessageKey = { remoteJid: names.author, fromMe: false, id: String(poll['stanzaId']) };
    const pollUpdateMessage = { pollCreationMessageKey, vote };
    await phones.raw(ANN, { to: SHOP, plaintext: encoded({ pollUpdateMessage }), id: 'BY-VOTE' });

    const told = await until(
      'all answers',
      () =>
        [byNumber, 'BY-TITLE', again, 'BY-VOTE'].flatMap(
          (id) => receiver.events.find(({ data }) => data['stanzaId'] === id)?.data ?? [],
        ),
      ({ length }) => length === 4,
    );
    const { sections } = (
      interactives.list as unknown as { action: { sections: readonly { rows: readonly Json[] }[] } }
    ).action;
    const evening = sections.flatMap(({ rows }) => rows).find(({ title }) => title === 'Evening');
    const of = { message_id: question['id'] };
    expect((told as readonly Json[]).map(({ content }) => content)).toMatchObject([
      { interactive: { type: 'button_reply', button_reply: { title: 'No' }, ...of, text: { body: '2' } } },
      { interactive: { type: 'button_reply', button_reply: { title: 'Yes' }, ...of, text: { body: 'yes' } } },
      { type: 'text', text: { body: '1' } },
      { interactive: { type: 'list_reply', list_reply: { id: evening?.['id'] }, message_id: poll['id'] } },
    ]);
    expect(await api.must('GET', `${path()}/${String(poll['id'])}/poll`)).toMatchObject({ voters: 1 });
  });

  it('answers, mentions and lets disappear, and says back what it was told to', async () => {
    const first = await phones.write(ANN, group, 'who is there?');
    const received = await until(
      'the word of Ann',
      () => receiver.events.find(({ data }) => data['stanzaId'] === first)?.data,
      (data) => data !== undefined,
    );
    const around = {
      to: group,
      context: { message_id: received?.['messageId'] },
      mentions: [`+${BOB}`],
      mention_all: true,
      expires_in: 86_400,
      biz_opaque_callback_data: 'order 7',
    };
    const request = { ...requests['a place'], ...around };

    const sent = await send(request);
    const [shown] = await shownTo(ANN, [sent['stanzaId']]);
    const again = await send({ type: 'text', text: { body: 'me' }, context: { message_id: sent['id'] } });
    const [answer] = await shownTo(ANN, [again['stanzaId']]);

    const message = proto.Message.decode(Buffer.from(shown?.plaintext ?? '', 'base64'));
    expect(message.locationMessage?.contextInfo).toMatchObject({
      stanzaId: first,
      participant: expect.stringMatching(/@lid$/),
      quotedMessage: { conversation: 'who is there?' },
      mentionedJid: [`${BOB}@s.whatsapp.net`],
      nonJidMentions: 1,
      expiration: 86_400,
    });
    expect(answer?.text).toBe('me');
    const status = await until(
      'a status',
      () => receiver.events.find(({ type, data }) => type === 'message.status' && data['messageId'] === sent['id']),
      (found) => found !== undefined,
    );
    expect(status?.data).toMatchObject({ callbackData: 'order 7' });
    expect(await api.must('GET', `${path()}/${String(sent['id'])}`)).toMatchObject({ callbackData: 'order 7' });
    const unknown = await api.call('POST', path(), {
      to: `+${ANN}`,
      ...requests['a text'],
      context: { message_id: 'msg_01JDT7KZ3V9H2M8Q4S6T1R5N0P' },
    });
    expect(unknown).toMatchObject({
      status: 404,
      json: { code: 'message_not_found', fields: [{ field: 'context.message_id' }] },
    });
  });

  it('receives each kind, and tells it by webhook as it would be sent', async () => {
    const all = Object.entries(requests);
    for (const [index, [, request]] of all.entries()) {
      const { message } = await toWire(request as unknown as OutboundContent, { chat: SHOP });
      const plaintext = Buffer.from(proto.Message.encode(message).finish()).toString('base64');
      await phones.raw(ANN, { to: SHOP, plaintext, id: `KIND-${index}` });
    }

    const contents = await until(
      'all webhooks',
      () =>
        all.flatMap((_, index) => {
          const told = receiver.events.find(({ data }) => data['stanzaId'] === `KIND-${index}`);
          return told?.data['content'] ?? [];
        }),
      ({ length }) => length === all.length,
    );

    for (const [index, [, request]] of all.entries()) expect(contents[index]).toMatchObject(toldAs(request));
  });

  it('tells whom a message mentions, which advertisement led here, and the handle of its writer', async () => {
    const clickId = 'ARAkLkA8rmlFeiCktEJQ';
    const contextInfo: proto.IContextInfo = {
      mentionedJid: [`${SHOP}@s.whatsapp.net`],
      groupMentions: [{ groupJid: group, groupSubject: 'Customers' }],
      externalAdReply: {
        title: 'Fresh bread',
        sourceType: 'ad',
        sourceId: '120',
        sourceUrl: 'https://fb.me/1',
        ctwaClid: clickId,
      },
    };
    const message = { extendedTextMessage: { text: 'is it still there?', contextInfo } };
    const attrs = { participant_username: 'ann.bakes' };
    await phones.raw(ANN, { to: group, plaintext: encoded(message), id: 'AD', attrs });

    const told = await until(
      'the message',
      () => receiver.events.find(({ data }) => data['stanzaId'] === 'AD')?.data,
      (data) => data !== undefined,
    );
    const expected = {
      sender: { username: 'ann.bakes', phoneNumber: `+${ANN}` },
      context: {
        groupMentions: [{ id: group, subject: 'Customers' }],
        referral: { source_type: 'ad', source_id: '120', headline: 'Fresh bread', ctwa_clid: clickId },
      },
    };
    expect(told).toMatchObject(expected);
    expect(await api.must('GET', `${path()}/${String(told?.['messageId'])}`)).toMatchObject(expected);
  });

  it('chooses a button that somebody offers, and the phone gets the id of it', async () => {
    const buttons = ['Yes', 'No'].map((words, index) => ({
      buttonId: `id-${index}`,
      buttonText: { displayText: words },
    }));
    await phones.raw(ANN, {
      to: SHOP,
      plaintext: encoded({ buttonsMessage: { contentText: 'Today?', buttons } }),
      id: 'OFFER',
    });
    const offer = await until(
      'the offer',
      () => receiver.events.find(({ data }) => data['stanzaId'] === 'OFFER')?.data,
      (data) => data !== undefined,
    );
    const choice = (id: string) => ({
      to: `+${ANN}`,
      context: { message_id: offer?.['messageId'] },
      type: 'interactive',
      interactive: { type: 'button_reply', button_reply: { id } },
    });

    const sent = await send(choice('id-1'));
    const [shown] = await shownTo(ANN, [sent['stanzaId']]);
    const refused = await api.call('POST', path(), choice('No'));

    expect(sent['content']).toMatchObject({ interactive: { button_reply: { id: 'id-1', title: 'No' } } });
    expect(toContent(Buffer.from(shown?.plaintext ?? '', 'base64'))).toMatchObject({
      content: { interactive: { type: 'button_reply', button_reply: { id: 'id-1', title: 'No' } } },
      context: { replyTo: { stanzaId: 'OFFER' } },
    });
    expect(refused).toMatchObject({
      status: 400,
      json: {
        code: 'invalid_request',
        fields: [{ field: 'interactive.button_reply.id', problem: 'is none of what can be chosen: id-0, id-1' }],
      },
    });
  });

  it('counts the vote of a phone in a poll that it sent, and tells what a phone edits under seal', async () => {
    const sent = await send(requests['a poll of any answers'] ?? {});
    const [shown] = await shownTo(ANN, [sent['stanzaId']]);
    const poll = toContent(Buffer.from(shown?.plaintext ?? '', 'base64'));
    if (poll === undefined) throw new Error('the phone shows no poll');
    const { options } = (poll.content as unknown as { poll: { options: readonly string[] } }).poll;
    const names = { author: `${SHOP}@s.whatsapp.net`, actor: `${ANN}@s.whatsapp.net` };
    const bytes = proto.Message.PollVoteMessage.encode({ selectedOptions: [hashOf(options[1])] }).finish();
    const vote = sealWith(
      'vote',
      { secret: poll.secret ?? new Uint8Array(), stanzaId: String(sent['stanzaId']) },
      names,
      bytes,
    );
    const pollUpdateMessage = {
      pollCreationMessageKey: { remoteJid: names.author, fromMe: false, id: String(sent['stanzaId']) },
      vote,
    };
    await phones.raw(ANN, { to: SHOP, plaintext: encoded({ pollUpdateMessage }), id: 'VOTE' });

    const told = await until(
      'the vote',
      () => receiver.events.find(({ data }) => data['stanzaId'] === 'VOTE')?.data,
      (data) => data !== undefined,
    );
    expect(told?.['content']).toMatchObject({
      type: 'poll_vote',
      poll_vote: { message_id: sent['id'], options: [options[1]], voters: 1 },
    });
    const results = await api.must('GET', `${path()}/${String(sent['id'])}/poll`);
    expect(results).toMatchObject({
      voters: 1,
      options: [{ votes: 0 }, { votes: 1, voters: [{ phoneNumber: `+${ANN}` }] }, {}],
    });

    const secret = Buffer.alloc(32, 9);
    const original = encoded({ conversation: 'at eight 😀', messageContextInfo: { messageSecret: secret } });
    await phones.raw(ANN, { to: SHOP, plaintext: original, id: 'ORIGINAL' });
    const own = { author: names.actor, actor: names.actor };
    const edit = proto.Message.encode({ conversation: 'at nine 😀' }).finish();
    const secretEncryptedMessage = {
      targetMessageKey: { remoteJid: names.author, fromMe: true, id: 'ORIGINAL' },
      ...sealWith('edit', { secret, stanzaId: 'ORIGINAL' }, own, edit),
      secretEncType: proto.Message.SecretEncryptedMessage.SecretEncType.MESSAGE_EDIT,
    };
    await phones.raw(ANN, { to: SHOP, plaintext: encoded({ secretEncryptedMessage }), id: 'EDIT' });

    const edited = await until(
      'the edit',
      () => receiver.events.find(({ type }) => type === 'message.edited')?.data,
      (data) => data !== undefined,
    );
    const messageId = String((edited?.['original'] as Json | undefined)?.['messageId']);
    expect(edited).toMatchObject({ original: { stanzaId: 'ORIGINAL' }, content: { text: { body: 'at nine 😀' } } });
    expect(await api.must('GET', `${path()}/${messageId}/versions`)).toMatchObject({
      data: [{ content: { text: { body: 'at eight 😀' } } }, { content: { text: { body: 'at nine 😀' } } }],
    });
  });
});

/** A request as the phone of its reader shows it, with what stands around it. */
function asRead(request: Json): object {
  const type = String(request['type']);
  if (type === 'text') return { text: (request['text'] as Json)['body'] };
  const isNamed = type === 'poll' || type === 'event';
  return { content: request, beside: META[type] ?? {}, ...(isNamed ? { stanzaType: type } : {}) };
}

/** A request as its reader is told of it: without the picture of a preview. */
function toldAs(request: Json): Json {
  const { text } = request as { readonly text?: { readonly preview?: Json } };
  if (text?.preview === undefined) return request;
  const { thumbnail: _left, ...preview } = text.preview;
  return { ...request, text: { ...text, preview } };
}

const encoded = (message: proto.IMessage): string =>
  Buffer.from(proto.Message.encode(message).finish()).toString('base64');
const hashOf = (option: string | undefined): Buffer =>
  createHash('sha256')
    .update(option ?? '')
    .digest();
