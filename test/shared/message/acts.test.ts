import { describe, expect, it } from 'vitest';
import { checkInput } from '../../../functions/http/checkInput.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import type { ConnectionId, MessageId } from '../../../shared/kernel/id.ts';
import type { Message, ReceivedMessage, SentMessage } from '../../../shared/message/message.ts';
import { onlyPossible, outboundMessageSchema, type OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import { resolveRecipient, settleRequest } from '../../../shared/message/settleRequest.ts';

const ID = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H';
const ANN = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const NOW = 1_790_000_000_000;
const MINUTE = 60_000;

const common = { messageId: ID as MessageId, stanzaId: 'ONE', content: { type: 'text', text: { body: 'x' } } };
const out = (more: object = {}): SentMessage =>
  ({ ...common, direction: 'out', to: ANN, state: 'sent', sentAtMs: NOW, createdAtMs: NOW, ...more }) as SentMessage;
const received = (more: object = {}): ReceivedMessage =>
  ({ ...common, direction: 'in', chat: '222@lid', chatAlias: ANN, sender: '222@lid', ...more }) as ReceivedMessage;
const inGroup = { chat: GROUP, chatAlias: undefined };
const echo = (more: object = {}) => received({ direction: 'echo', createdAtMs: NOW, ...more });

const acts: Readonly<Record<string, object>> = {
  reaction: { type: 'reaction', reaction: { message_id: ID, emoji: '👍' } },
  edit: { type: 'edit', edit: { message_id: ID, text: { body: 'y' } } },
  caption: { type: 'edit', edit: { message_id: ID, caption: 'y' } },
  revoke: { type: 'revoke', revoke: { message_id: ID } },
  pin: { type: 'pin', pin: { message_id: ID, type: 'pin' } },
  keep: { type: 'keep', keep: { message_id: ID, type: 'keep' } },
};

async function ask(request: object, original: Message | undefined, nowMs = NOW): Promise<unknown> {
  const body = onlyPossible(checkInput(outboundMessageSchema, request, 'body') as OutboundMessage);
  const to = body.to === undefined ? undefined : resolveRecipient(body.to);
  const lookUp = { messages: { find: async () => original }, connectionId: 'con_1' as ConnectionId };
  const settled = await settleRequest(body, to, nowMs, lookUp);
  if (settled instanceof AppError) throw settled;
  return settled;
}

/** The code of a refusal, and its problems by field. */
async function refusalOf(request: object, original: Message | undefined, nowMs = NOW): Promise<object> {
  try {
    await ask(request, original, nowMs);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, ...Object.fromEntries(error.fields.map(({ field, problem }) => [field, problem])) };
  }
  throw new Error('it was accepted');
}

describe('a request to act on a message', () => {
  it.each(Object.entries(acts).filter(([what]) => what !== 'caption'))(
    'needs the id of the message alone, and keeps what WhatsApp needs to know of it: %s',
    async (_what, request) => {
      const own = { messageId: ID, stanzaId: 'ONE', type: 'text' };

      const until = expect.any(Number) as unknown;
      const end = 'edit' in request ? { expiresAtMs: until } : {};
      expect(await ask(request, out())).toEqual({ to: ANN, content: request, original: own, ...end });
      expect(await ask(request, echo())).toEqual({ to: '222@lid', content: request, original: own, ...end });
      expect(await ask({ ...request, to: '+49 151 00000002' }, echo())).toMatchObject({ to: ANN });
    },
  );

  it('takes a status back that was sent here, and no other: of that it is not known to whom it went', async () => {
    const posted = { to: 'status@broadcast' };
    const request = acts['revoke'] ?? {};

    expect(await ask(request, out(posted))).toMatchObject({ to: 'status@broadcast', original: { stanzaId: 'ONE' } });
    expect(await ask({ ...request, to: 'status' }, out(posted))).toMatchObject({ to: 'status@broadcast' });
    for (const other of [received, echo]) {
      const refusal = await refusalOf(request, other({ chat: 'status@broadcast', chatAlias: undefined }));
      expect(refusal).toMatchObject({ code: 'act_not_possible', 'revoke.message_id': expect.any(String) });
    }
    for (const what of ['reaction', 'edit', 'pin', 'keep']) {
      expect(await refusalOf(acts[what] ?? {}, out(posted))).toMatchObject({ code: 'act_not_possible' });
    }
  });

  it.each(['reaction', 'pin', 'keep'])('is possible on what others wrote: %s', async (what) => {
    const theirs = { messageId: ID, stanzaId: 'ONE', type: 'text', sender: '222@lid', senderAlias: ANN };
    const request = acts[what] ?? {};

    expect(await ask(request, received({ senderAlias: ANN }))).toMatchObject({ to: '222@lid', original: theirs });
    expect(await ask(request, received({ ...inGroup, senderAlias: ANN }))).toMatchObject({
      to: GROUP,
      original: theirs,
    });
  });

  it('takes back what others wrote in a group', async () => {
    expect(await ask(acts['revoke'] ?? {}, received(inGroup))).toMatchObject({
      to: GROUP,
      original: { sender: '222@lid' },
    });
  });

  it.each(['image', 'video', 'document'])('changes a caption: %s', async (type) => {
    expect(await ask(acts['caption'] ?? {}, echo({ content: { type, [type]: {} } }))).toMatchObject({
      original: { type },
    });
  });

  it.each<readonly [what: string, act: string, original: Message | undefined, refusal: object]>([
    [
      'a message that nobody knows',
      'reaction',
      undefined,
      { code: 'message_not_found', 'reaction.message_id': expect.any(String) },
    ],
    [
      'a post of a channel',
      'reaction',
      received({ chat: '1@newsletter' }),
      { 'reaction.message_id': expect.stringContaining('channel') },
    ],
    [
      'a status',
      'reaction',
      received({ chat: 'status@broadcast' }),
      { 'reaction.message_id': expect.stringContaining('status') },
    ],
    [
      'a reaction',
      'pin',
      received({ content: { type: 'reaction', reaction: {} } }),
      { 'pin.message_id': 'is a reaction itself' },
    ],
    [
      'what was never sent',
      'reaction',
      out({ state: 'failed' }),
      { 'reaction.message_id': 'was never sent: it is failed' },
    ],
    [
      'what was cancelled',
      'edit',
      out({ state: 'cancelled' }),
      { 'edit.message_id': 'was never sent: it is cancelled' },
    ],
    ['what was taken back', 'revoke', out({ deletedAtMs: 1 }), { 'revoke.message_id': 'was taken back' }],
    [
      "somebody else's in a chat",
      'revoke',
      received(),
      { 'revoke.message_id': expect.stringContaining('somebody else') },
    ],
    ["somebody else's text", 'edit', received(inGroup), { 'edit.message_id': 'was written by somebody else' }],
    [
      'a poll',
      'edit',
      out({ content: { type: 'poll' } }),
      { 'edit.message_id': 'is of type poll, which cannot be edited' },
    ],
    ['a caption of a text', 'caption', out(), { 'edit.caption': 'is for media; give text' }],
    [
      'a text of a picture',
      'edit',
      echo({ content: { type: 'image' } }),
      { 'edit.text': 'is for texts; give caption' },
    ],
  ])('is refused with the reason: %s', async (_what, act, original, refusal) => {
    expect(await refusalOf(acts[act] ?? {}, original)).toEqual({ code: 'act_not_possible', ...refusal });
  });

  it('goes to the chat of that message, and to no other', async () => {
    const elsewhere = { ...acts['reaction'], to: '+4915100000009' };

    expect(await refusalOf(elsewhere, received())).toEqual({
      code: 'invalid_request',
      to: expect.stringContaining('is not the chat of that message'),
    });
  });

  it.each([
    ['one that was sent', out({ sentAtMs: NOW })],
    ['one that another device sent', echo()],
  ])('edits for 15 minutes: %s', async (_what, original) => {
    const edit = acts['edit'] ?? {};

    const accepted = await ask(edit, original, NOW + 15 * MINUTE - 1);
    // One that waits for longer than that expires: no phone would show it.
    expect(accepted).toMatchObject({ expiresAtMs: NOW + 15 * MINUTE });
    expect(await refusalOf(edit, original, NOW + 15 * MINUTE)).toEqual({ code: 'edit_too_late' });
  });

  it('edits one that has not left yet, however long it waits', async () => {
    await expect(
      ask(acts['edit'] ?? {}, out({ state: 'parked', sentAtMs: undefined }), NOW + 60 * MINUTE),
    ).resolves.toBeDefined();
  });

  it.each<readonly [what: string, request: object, refusal: object]>([
    [
      'two emojis',
      { reaction: { message_id: ID, emoji: '👍👍' } },
      { 'reaction.emoji': expect.stringContaining('one emoji') },
    ],
    [
      'a letter',
      { reaction: { message_id: ID, emoji: 'x' } },
      { 'reaction.emoji': expect.stringContaining('one emoji') },
    ],
    ['nothing new', { edit: { message_id: ID } }, { edit: expect.stringContaining('either text or caption') }],
    [
      'both',
      { edit: { message_id: ID, text: { body: 'x' }, caption: 'y' } },
      { edit: expect.stringContaining('either text or caption') },
    ],
    [
      'two days',
      { pin: { message_id: ID, type: 'pin', expiration_days: 2 } },
      { 'pin.expiration_days': 'must be one of 1, 7, 30' },
    ],
    [
      'an end of what ends now',
      { pin: { message_id: ID, type: 'unpin', expiration_days: 1 } },
      { 'pin.expiration_days': 'is for a pin only' },
    ],
    ['no message', { revoke: {} }, { 'revoke.message_id': expect.any(String) }],
    ['an answer', { revoke: { message_id: ID }, context: { message_id: ID } }, { context: expect.any(String) }],
  ])('has a problem at its field: %s', async (_what, request, refusal) => {
    const [type] = Object.keys(request);

    expect(await refusalOf({ type, ...request }, out())).toEqual({ code: 'invalid_request', ...refusal });
  });

  const SECRET = 'c2VjcmV0';
  const lunch = { name: 'Lunch?', options: ['Noodles', 'Rice', 'Soup 🍜', 'Crème'], selectable_count: 1 };
  const aPoll = (more: object = {}) => ({ secret: SECRET, content: { type: 'poll', poll: { ...lunch, ...more } } });
  const party = { name: 'Party', starts_at: '2030-01-01T00:00:00.000Z' };
  const anEvent = (more: object = {}) => ({ secret: SECRET, content: { type: 'event', event: { ...party, ...more } } });
  const vote = (...options: readonly string[]) => ({ type: 'poll_vote', poll_vote: { message_id: ID, options } });
  const answer = (more: object) => ({ type: 'event_response', event_response: { message_id: ID, ...more } });
  const sealed = (known: string) => ({ seal: { secret: SECRET, known } });

  it.each<readonly [what: string, original: Message, kept: object]>([
    ['theirs', received(aPoll()), { to: '222@lid', original: { type: 'poll', ...sealed('222@lid') } }],
    ['theirs in a group', received({ ...inGroup, ...aPoll() }), { to: GROUP, original: sealed('222@lid') }],
    ['ours', out(aPoll()), { to: ANN, original: sealed(ANN) }],
    ['ours, sent to a LID', out({ ...aPoll(), resolvedTo: '222@lid' }), { original: sealed('222@lid') }],
    ['ours from another device', echo({ ...aPoll(), sender: '111@lid' }), { original: sealed('111@lid') }],
    ['ours that has not left yet', out({ ...aPoll(), state: 'parked' }), { original: sealed(ANN) }],
  ])('keeps what a vote is sealed with: %s', async (_what, original, kept) => {
    expect(await ask(vote('Soup 🍜'), original)).toMatchObject(kept);
    expect(await ask(vote(), original)).toMatchObject({ content: vote() });
  });

  it('shows a vote in buttons that were sent as a poll, and answers an event with who comes along', async () => {
    const buttons = ['Yes', 'No'].map((title) => ({ type: 'reply', reply: { id: title, title } }));
    const interactive = { type: 'button', body: { text: 'Shall we?' }, action: { buttons }, fallback: 'poll' };
    const asPoll = out({ secret: SECRET, content: { type: 'interactive', interactive } });

    expect(await ask(vote('Yes'), asPoll)).toMatchObject({ original: { type: 'interactive', ...sealed(ANN) } });
    expect(await refusalOf(vote('Yes', 'No'), asPoll)).toMatchObject({ code: 'invalid_request' });
    const going = answer({ response: 'going', extra_guests: 1 });
    expect(await ask(going, received(anEvent({ extra_guests: true })))).toMatchObject({ content: going });
    expect(await ask(answer({ response: 'not_going' }), out(anEvent()))).toMatchObject({ original: sealed(ANN) });
  });

  it('lets a vote expire with its poll', async () => {
    const original = received(aPoll({ ends_at: new Date(NOW + MINUTE).toISOString() }));

    expect(await ask(vote('Rice'), original)).toMatchObject({ expiresAtMs: NOW + MINUTE });
    expect(await refusalOf(vote('Rice'), original, NOW + MINUTE)).toEqual({
      code: 'act_not_possible',
      'poll_vote.message_id': 'is a poll that has ended',
    });
  });

  const NO_OPTION = 'is no option of that poll, letter by letter';
  it.each<readonly [what: string, request: object, original: Message | undefined, refusal: object]>([
    ['a poll that nobody knows', vote('Rice'), undefined, { code: 'message_not_found' }],
    [
      'what is no poll',
      vote('Rice'),
      received(),
      { code: 'act_not_possible', 'poll_vote.message_id': 'is of type text: a vote is for a poll' },
    ],
    [
      'a poll that was taken back',
      vote('Rice'),
      received({ ...aPoll(), deletedAtMs: 1 }),
      { code: 'act_not_possible' },
    ],
    ['a poll that failed', vote('Rice'), out({ ...aPoll(), state: 'failed' }), { code: 'act_not_possible' }],
    [
      'a poll without its secret',
      vote('Rice'),
      received({ ...aPoll(), secret: undefined }),
      { code: 'act_not_possible', 'poll_vote.message_id': expect.stringContaining('secret') },
    ],
    ['a poll that is cut', vote('Rice'), received(aPoll({ truncated: true })), { code: 'act_not_possible' }],
    ['another case', vote('rice'), received(aPoll()), { code: 'invalid_request', 'poll_vote.options.0': NO_OPTION }],
    ['a space too many', vote('Rice '), received(aPoll()), { 'poll_vote.options.0': NO_OPTION }],
    ['another emoji', vote('Soup 🍜\uFE0F'), received(aPoll()), { 'poll_vote.options.0': NO_OPTION }],
    ['one that was edited away', vote('Salad'), received(aPoll()), { 'poll_vote.options.0': NO_OPTION }],
    [
      'the second',
      vote('Rice', 'Fish'),
      received(aPoll({ selectable_count: 0 })),
      { 'poll_vote.options.1': NO_OPTION },
    ],
    [
      'two of one',
      vote('Rice', 'Noodles'),
      received(aPoll()),
      { code: 'invalid_request', 'poll_vote.options': 'at most 1 may be chosen in that poll' },
    ],
    ['one twice', vote('Rice', 'Rice'), received(aPoll()), { 'poll_vote.options': 'must all be different' }],
    ['an answer to a poll', answer({ response: 'going' }), received(aPoll()), { code: 'act_not_possible' }],
    ['an event that is off', answer({ response: 'going' }), received(anEvent({ canceled: true })), {}],
    [
      'guests to an event for one',
      answer({ response: 'going', extra_guests: 1 }),
      received(anEvent()),
      { code: 'invalid_request', 'event_response.extra_guests': expect.stringContaining('is not possible') },
    ],
    [
      'guests of who stays at home',
      answer({ response: 'not_going', extra_guests: 1 }),
      received(anEvent({ extra_guests: true })),
      { code: 'invalid_request', 'event_response.extra_guests': 'is for who comes' },
    ],
    ['no answer', answer({ response: 'unknown' }), received(anEvent()), { code: 'invalid_request' }],
    ['a vote in a vote', vote('Rice'), received({ content: { type: 'poll_vote' } }), { code: 'act_not_possible' }],
  ])(
    'refuses a vote or an answer of which nobody would see anything: %s',
    async (_what, request, original, refusal) => {
      expect(await refusalOf(request, original)).toMatchObject(refusal);
    },
  );

  const forward = { to: '+4915100000009', type: 'forward', forward: { message_id: ID } };
  const place = { type: 'location', location: { latitude: 1, longitude: 2 } };
  it.each<readonly [what: string, original: Message, forwarded: number | undefined]>([
    ['our own for the first time', out(), undefined],
    ['our own from another device', echo(), undefined],
    ['our own that was forwarded to us', out({ context: { forwarded: 1 } }), 2],
    ["somebody else's", received(), 1],
    ["somebody else's, which came a long way", received({ context: { forwarded: 5, expiresIn: 60 } }), 6],
    ['a place', received({ content: place }), 1],
  ])('sends again what a message says: %s', async (_what, original, forwarded) => {
    const settled = { to: '4915100000009@s.whatsapp.net', content: original.content };

    expect(await ask(forward, original)).toEqual(
      forwarded === undefined ? settled : { ...settled, context: { forwarded } },
    );
    expect(await ask({ ...forward, expires_in: 86_400 }, received())).toMatchObject({
      context: { forwarded: 1, expiresIn: 86_400 },
    });
  });

  it.each<readonly [what: string, original: Message | undefined, refusal: object]>([
    ['one that nobody knows', undefined, { code: 'message_not_found' }],
    ['one that was taken back', out({ deletedAtMs: 1 }), { 'forward.message_id': 'was taken back' }],
    [
      'a file',
      received({ content: { type: 'image', image: {} } }),
      { 'forward.message_id': expect.stringContaining('is of type image') },
    ],
    [
      'a text that was cut',
      received({ content: { type: 'text', text: { body: 'x', truncated: true, length: 99_999 } } }),
      { 'forward.message_id': expect.stringContaining('is not within the limits of what may be sent as text') },
    ],
  ])('forwards nothing that it cannot make again: %s', async (_what, original, refusal) => {
    expect(await refusalOf(forward, original)).toMatchObject(refusal);
  });

  it.each(['👍', '👍🏽', '❤', '❤️', '🇩🇪', '1️⃣', '👩‍👩‍👧‍👦', '🏴‍☠️', ''])('takes every emoji, and none: %s', async (emoji) => {
    const request = { type: 'reaction', reaction: { message_id: ID, emoji } };

    expect(await ask(request, out())).toMatchObject({ content: request });
  });
});
