import { decryptEventResponse, decryptPollVote, proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import type { WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { toContent } from '../../shared/wire/content.ts';
import { hashOfOption } from '../../shared/wire/openedKinds.ts';
import { sealWith } from '../shared/wire/sealing.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import type { TranscriptEntry } from '../whatsapp/phone.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';
import { appStateCases } from './appStateCases.ts';
import { chatCases } from './chatCases.ts';
import { contactCases } from './contactCases.ts';
import { statusCases } from './statuses.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const BOB = '4915100000003';
const SECRET = Buffer.alloc(32, 9);
const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;
const { MESSAGE_EDIT: SEALED_EDIT } = proto.Message.SecretEncryptedMessage.SecretEncType;
const numberOf = (digits: string) => `${digits}@s.whatsapp.net`;

type Json = Readonly<Record<string, unknown>>;

describe('what is done to a message, through every process of the embedded stack', () => {
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
  const read = (id: unknown): Promise<Json> => api.must('GET', `${path()}/${String(id)}`);
  const send = async (request: object): Promise<Json> => {
    const { status, json } = await api.call('POST', path(), request);
    expect({ status, json }).toMatchObject({ status: 202, json: { status: 'queued' } });
    return json;
  };
  const shownTo = (number: string, id: unknown): Promise<TranscriptEntry> =>
    until(
      `message ${String(id)} at ${number}`,
      async () => (await phones.messages(number)).find((entry) => entry.id === id),
      (found) => found !== undefined,
    ) as Promise<TranscriptEntry>;
  const toldBy = (stanzaId: string): Promise<{ readonly type: string; readonly data: Json }> =>
    until(
      `webhook of ${stanzaId}`,
      () => receiver.events.find(({ type, data }) => type !== 'message.status' && data['stanzaId'] === stanzaId),
      (found) => found !== undefined,
    ) as Promise<{ readonly type: string; readonly data: Json }>;
  /** What a phone makes of an act, with what its stanza says. */
  const actOf = ({ plaintext = '', edit }: TranscriptEntry) => {
    const { content, original, act } = toContent(Buffer.from(plaintext, 'base64')) ?? {};
    return { content, act, edit, original: original?.stanzaId, byWriter: original?.byWriter };
  };
  const say = async (from: string, to: string, message: proto.IMessage, attrs: Record<string, string> = {}) => {
    const plaintext = Buffer.from(proto.Message.encode(message).finish()).toString('base64');
    return (await phones.raw(from, { to, plaintext, attrs })).id;
  };

  it('reacts, edits, pins, keeps and takes back by our id alone, and the phone sees it', async () => {
    const original = await send({ to: `+${ANN}`, type: 'text', text: { body: 'At eight?' } });
    await shownTo(ANN, original['stanzaId']);
    const { id, stanzaId } = original;
    const forwarded = await send({ to: `+${BOB}`, type: 'forward', forward: { message_id: id } });
    expect(forwarded).toMatchObject({ content: { type: 'text', text: { body: 'At eight?' } } });
    expect((await shownTo(BOB, forwarded['stanzaId'])).text).toBe('At eight?');
    const acts = [
      { type: 'reaction', reaction: { message_id: id, emoji: '👍' } },
      { type: 'edit', edit: { message_id: id, text: { body: 'At nine?' } } },
      { type: 'pin', pin: { message_id: id, type: 'pin', expiration_days: 1 } },
      { type: 'keep', keep: { message_id: id, type: 'keep' } },
      { type: 'revoke', revoke: { message_id: id } },
    ];

    const sent: Json[] = [];
    for (const act of acts) sent.push(await send(act));

    const shown: TranscriptEntry[] = [];
    for (const act of sent) shown.push(await shownTo(ANN, act['stanzaId']));
    const own = { original: stanzaId, byWriter: true };
    const unsupported = { type: 'unsupported', unsupported: { kind: 'revoke' } };
    expect(shown.map(actOf)).toEqual([
      { content: { type: 'reaction', reaction: { emoji: '👍' } }, ...own },
      { content: { type: 'text', text: { body: 'At nine?' } }, act: 'edit', edit: '1', ...own },
      { content: { type: 'pin', pin: { type: 'pin', expiration_days: 1 } }, edit: '2', ...own },
      { content: { type: 'keep', keep: { type: 'keep' } }, ...own },
      { content: unsupported, act: 'delete', edit: '7', ...own },
    ]);
    const now = await until(
      'the original as it is now',
      () => read(id),
      (message) => message['deletedAt'] !== undefined,
    );
    expect(now).toMatchObject({ content: { text: { body: 'At nine?' } }, editedAt: expect.any(String) });
    const versions = (await api.must('GET', `${path()}/${String(id)}/versions`))['data'] as readonly Json[];
    expect(versions.map(({ content }) => content)).toMatchObject([
      { text: { body: 'At eight?' } },
      { text: { body: 'At nine?' } },
    ]);
    const edit = await until(
      'the delivery of the edit',
      () => read(sent[1]?.['id']),
      ({ status }) => status === 'delivered',
    );
    expect(edit).toMatchObject({ original: { messageId: id, stanzaId }, content: acts[1] });
    const list = (await api.must('GET', path()))['data'] as readonly Json[];
    const types = new Set(list.map(({ content }) => (content as Json)['type']));
    expect(types).toEqual(new Set(['keep', 'pin', 'reaction', 'text']));
    expect(await api.call('POST', path(), acts[1])).toMatchObject({
      status: 409,
      json: { code: 'act_not_possible', fields: [{ field: 'edit.message_id', problem: 'was taken back' }] },
    });
  });

  it('reacts to the word of a member of a group, and takes it back as an administrator', async () => {
    const first = await phones.write(ANN, group, 'buy now');
    const { data } = await toldBy(first);
    const reaction = await send({ type: 'reaction', reaction: { message_id: data['messageId'], emoji: '👎' } });
    const revoke = await send({ type: 'revoke', revoke: { message_id: data['messageId'] } });

    const reacted = await shownTo(BOB, reaction['stanzaId']);
    const revoked = await shownTo(BOB, revoke['stanzaId']);

    expect(reaction).toMatchObject({ to: group });
    expect(actOf(reacted)).toMatchObject({ original: first, byWriter: false });
    expect(actOf(revoked)).toMatchObject({ act: 'delete', edit: '8', original: first, byWriter: false });
    const key = proto.Message.decode(Buffer.from(revoked.plaintext ?? '', 'base64')).protocolMessage?.key;
    expect(key).toMatchObject({ remoteJid: group, participant: expect.stringMatching(/^\d+@lid$/) });
  });

  it('votes in polls and answers events, theirs and ours, and the phone opens it', async () => {
    const messageContextInfo = { messageSecret: SECRET };
    const options = ['Noodles', 'Rice'].map((optionName) => ({ optionName }));
    const pollId = await say(ANN, group, {
      pollCreationMessageV3: { name: 'Lunch?', options, selectableOptionsCount: 1 },
      messageContextInfo,
    });
    const eventId = await say(ANN, group, {
      eventMessage: { name: 'Party', startTime: 1_800_000_000, extraGuestsAllowed: true },
      messageContextInfo,
    });
    const { messageId: poll } = (await toldBy(pollId)).data;
    const { messageId: event } = (await toldBy(eventId)).data;
    const ours = await send({ to: `+${ANN}`, type: 'poll', poll: { name: 'When?', options: ['Mo', 'Tu'] } });
    const shownPoll = toContent(Buffer.from((await shownTo(ANN, ours['stanzaId'])).plaintext ?? '', 'base64'));

    const vote = await send({ type: 'poll_vote', poll_vote: { message_id: poll, options: ['Rice'] } });
    const answer = await send({
      type: 'event_response',
      event_response: { message_id: event, response: 'going', extra_guests: 1 },
    });
    const own = await send({ type: 'poll_vote', poll_vote: { message_id: ours['id'], options: ['Tu'] } });

    const wire = async ({ stanzaId }: Json) => {
      const { plaintext = '', beside, stanzaType } = await shownTo(ANN, stanzaId);
      return { message: proto.Message.decode(Buffer.from(plaintext, 'base64')), beside, stanzaType };
    };
    const [voted, answered, votedOwn] = [await wire(vote), await wire(answer), await wire(own)];
    const { lid: author } = (await toldBy(pollId)).data['sender'] as { readonly lid: string };
    const me = voted.message.pollUpdateMessage?.pollCreationMessageKey;
    expect(me).toMatchObject({ remoteJid: group, participant: author, id: pollId });
    const shopLid = (await phones.phones()).find(({ number }) => number === SHOP)?.lid ?? '';
    const actor = `${shopLid.replace('@lid', '')}@lid`;
    const chosen = decryptPollVote(voted.message.pollUpdateMessage?.vote ?? {}, {
      pollCreatorJid: author,
      pollMsgId: pollId,
      pollEncKey: SECRET,
      voterJid: actor,
    }).selectedOptions;
    expect(chosen?.map((hash) => Buffer.from(hash).toString('hex'))).toEqual([hashOfOption('Rice')]);
    expect(voted).toMatchObject({ beside: { meta: { polltype: 'vote' } }, stanzaType: 'poll' });
    const response = decryptEventResponse(answered.message.encEventResponseMessage ?? {}, {
      eventCreatorJid: author,
      eventMsgId: eventId,
      eventEncKey: SECRET,
      responderJid: actor,
    });
    expect(response).toMatchObject({ response: 1, extraGuestCount: 1 });
    expect(answered).toMatchObject({ beside: { meta: { event_type: 'response' } }, stanzaType: 'event' });
    const byNumber = decryptPollVote(votedOwn.message.pollUpdateMessage?.vote ?? {}, {
      pollCreatorJid: numberOf(SHOP),
      pollMsgId: String(ours['stanzaId']),
      pollEncKey: shownPoll?.secret ?? new Uint8Array(),
      voterJid: numberOf(SHOP),
    }).selectedOptions;
    expect(byNumber?.map((hash) => Buffer.from(hash).toString('hex'))).toEqual([hashOfOption('Tu')]);

    const standing = async (id: unknown) => {
      const results = await until(
        `a vote in ${String(id)}`,
        () => api.must('GET', `${path()}/${String(id)}/poll`),
        ({ voters }) => voters === 1,
      );
      return results['options'];
    };
    expect(await standing(poll)).toMatchObject([{ votes: 0 }, { votes: 1, ownVote: true, voters: [] }]);
    expect(await standing(ours['id'])).toMatchObject([{ votes: 0 }, { votes: 1, ownVote: true, voters: [] }]);
    expect(JSON.stringify(await read(vote['id']))).not.toContain(SECRET.toString('base64url'));
    expect(
      await api.call('POST', path(), { type: 'poll_vote', poll_vote: { message_id: poll, options: ['rice'] } }),
    ).toMatchObject({ status: 400, json: { code: 'invalid_request', fields: [{ field: 'poll_vote.options.0' }] } });
    const other = await makeTenant(stage.stack.apiUrl, stage.stack.operatorKey, 'Other');
    const elsewhere = await other.must('POST', '/v1/connections', {});
    expect(
      await other.call('POST', `/v1/connections/${String(elsewhere['id'])}/messages`, {
        type: 'poll_vote',
        poll_vote: { message_id: poll, options: ['Rice'] },
      }),
    ).toMatchObject({ status: 409, json: { code: 'connection_not_paired' } });
    expect(
      await other.call('POST', path(), { type: 'poll_vote', poll_vote: { message_id: poll, options: ['Rice'] } }),
    ).toMatchObject({ status: 404, json: { code: 'connection_not_found' } });
  });

  it('hears what phones do to our messages and to theirs, plain and sealed', async () => {
    const ours = await send({ to: `+${ANN}`, type: 'text', text: { body: 'Anything else?' } });
    await shownTo(ANN, ours['stanzaId']);
    const ourKey = { remoteJid: numberOf(SHOP), fromMe: false, id: String(ours['stanzaId']) };
    const theirs = await say(ANN, SHOP, { conversation: 'one', messageContextInfo: { messageSecret: SECRET } });
    const theirKey = { remoteJid: numberOf(SHOP), fromMe: true, id: theirs };
    const { data: received } = await toldBy(theirs);
    const names = { author: numberOf(ANN), actor: numberOf(ANN) };
    const edit = proto.Message.encode({ conversation: 'three' }).finish();
    const sealed = sealWith('edit', { secret: SECRET, stanzaId: theirs }, names, edit);

    const ids = [
      await say(ANN, SHOP, { reactionMessage: { key: ourKey, text: '🎉' } }, { type: 'reaction' }),
      await say(ANN, SHOP, { reactionMessage: { key: ourKey, text: '' } }, { type: 'reaction' }),
      await say(
        ANN,
        SHOP,
        {
          pinInChatMessage: { key: ourKey, type: 1 },
          messageContextInfo: { messageAddOnDurationInSecs: 604_800 },
        },
        { edit: '2' },
      ),
      await say(
        ANN,
        SHOP,
        { protocolMessage: { key: theirKey, type: MESSAGE_EDIT, editedMessage: { conversation: 'two' } } },
        { edit: '1' },
      ),
      await say(
        ANN,
        SHOP,
        { secretEncryptedMessage: { targetMessageKey: theirKey, secretEncType: SEALED_EDIT, ...sealed } },
        { edit: '1' },
      ),
      await say(ANN, SHOP, { protocolMessage: { key: theirKey, type: REVOKE } }, { edit: '7' }),
    ];

    const told: { readonly type: string; readonly data: Json }[] = [];
    for (const id of ids) told.push(await toldBy(id));
    const about = { message_id: ours['id'] };
    const original = { original: { messageId: received['messageId'], stanzaId: theirs } };
    expect(told).toMatchObject([
      { type: 'message.received', data: { content: { reaction: { ...about, emoji: '🎉' } } } },
      { type: 'message.received', data: { content: { reaction: about } } },
      { type: 'message.received', data: { content: { pin: { ...about, type: 'pin', expiration_days: 7 } } } },
      { type: 'message.edited', data: { ...original, content: { text: { body: 'two' } } } },
      { type: 'message.edited', data: { ...original, content: { text: { body: 'three' } } } },
      { type: 'message.deleted', data: original },
    ]);
    expect(await read(received['messageId'])).toMatchObject({
      content: { text: { body: 'three' } },
      deletedAt: expect.any(String),
    });
  });

  statusCases(() => stage);
  appStateCases(() => stage);
  contactCases(() => stage);
  chatCases(() => stage);
});
