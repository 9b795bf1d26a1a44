import { describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/kernel/appError.ts';
import { STATUS } from '../../../shared/kernel/jid.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { onlyPossible, outboundMessageSchema, type OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import type { Message } from '../../../shared/message/message.ts';
import { hashOfRequest } from '../../../shared/message/requestHash.ts';
import { settleStatus } from '../../../shared/message/settleStatus.ts';
import type { OutboundContent } from '../../../shared/content/content.ts';
import { resolveRecipient, settleRequest } from '../../../shared/message/settleRequest.ts';

const [ANN, ANN_LID, BOB] = ['4915100000002@s.whatsapp.net', '222@lid', '4915100000003@s.whatsapp.net'];
const [SHOP, SHOP_LID] = ['4915100000001@s.whatsapp.net', '111@lid'];
const GROUP = '120363041234567890@g.us';
const text = { type: 'text', text: { body: 'Sale until six.' } } as const;
const own = [SHOP, SHOP_LID];

const parse = (request: object): OutboundMessage => onlyPossible(outboundMessageSchema.parse(request));
const settle = (request: object, named?: Message) => {
  const body = parse(request);
  const to = body.to === undefined ? undefined : resolveRecipient(body.to);
  return settleRequest(body, to, 0, {
    own,
    connectionId: 'con_1' as ConnectionId,
    messages: { find: async () => named },
  });
};
const settleStatusOf = (content: object, status: object) =>
  settleStatus({ status } as Parameters<typeof settleStatus>[0], content as OutboundContent, STATUS, own);
const aStatus = (status: object, more: object = {}) => settle({ to: 'status', ...text, status, ...more });

describe('a request for a status', () => {
  it.each(['status', ' status ', STATUS])('goes to statuses by the word %j', async (to) => {
    expect(await settle({ to, ...text, status: { audience: [ANN] } })).toMatchObject({ to: STATUS });
  });

  it('names each person once, however spelled and however often, and never the account itself', async () => {
    const audience = ['+49 151 0000 0002', ANN, '004915100000003'.slice(2), ANN_LID, BOB, SHOP, SHOP_LID];

    expect(await aStatus({ audience })).toMatchObject({ status: { audience: [ANN, BOB, ANN_LID] } });
  });

  it('has the look that is asked for, and none where nothing is', async () => {
    const dressed = await aStatus({ audience: [ANN], background_color: '#1F7AEC', font: 2 });

    expect(dressed).toMatchObject({ status: { look: { backgroundColor: '#1f7aec', font: 2 } } });
    expect(await aStatus({ audience: [ANN] })).toMatchObject({ status: { audience: [ANN] } });
  });

  it('passes over what asks for nothing, as clients send it with every message', async () => {
    const idle = { mentions: [], mention_all: false, expires_in: 0, recipient_type: 'individual' };

    expect(await aStatus({ audience: [ANN] }, idle)).toMatchObject({ to: STATUS, status: { audience: [ANN] } });
  });

  it('takes a thousand people, and not one more', () => {
    const people = (count: number) => Array.from({ length: count }, (_, index) => `+49151${1_000_000 + index}`);
    const of = (audience: readonly string[]) =>
      outboundMessageSchema.safeParse({ to: 'status', ...text, status: { audience } });

    expect(of(people(1_000)).success).toBe(true);
    expect(of(people(1_001)).error?.issues).toMatchObject([{ path: ['status', 'audience'] }]);
    expect(of([]).error?.issues).toMatchObject([{ path: ['status', 'audience'] }]);
  });

  it.each([
    ['color', { background_color: 'green' }, ['status', 'background_color']],
    ['font', { font: 3 }, ['status', 'font']],
    ['field', { viewers: [] }, ['status']],
  ])('is refused for a %s that WhatsApp does not have', (_what, more, place) => {
    const parsed = outboundMessageSchema.safeParse({ to: 'status', ...text, status: { audience: [ANN], ...more } });

    expect(parsed.error?.issues).toMatchObject([{ path: place }]);
  });

  it.each<[string, object, string]>([
    ['names nobody', { to: 'status', ...text }, 'status.audience'],
    ['names a group', { to: 'status', ...text, status: { audience: [ANN, GROUP] } }, 'status.audience.1'],
    ['names what is no address', { to: 'status', ...text, status: { audience: ['ann'] } }, 'status.audience.0'],
    ['names statuses', { to: 'status', ...text, status: { audience: [STATUS] } }, 'status.audience.0'],
    ['is for the account alone', { to: 'status', ...text, status: { audience: [SHOP, SHOP_LID] } }, 'status.audience'],
    ['goes to a person', { to: ANN, ...text, status: { audience: [BOB] } }, 'status'],
    ['goes to a group', { to: GROUP, ...text, status: { audience: [BOB] } }, 'status'],
    [
      'is a poll',
      { to: 'status', type: 'poll', poll: { name: 'Lunch?', options: ['a', 'b'] }, status: { audience: [ANN] } },
      'type',
    ],
    [
      'is a place',
      { to: 'status', type: 'location', location: { latitude: 1, longitude: 1 }, status: { audience: [ANN] } },
      'type',
    ],
    ['answers', { to: 'status', ...text, status: { audience: [ANN] }, context: { message_id: 'msg_1' } }, 'context'],
    ['mentions', { to: 'status', ...text, status: { audience: [ANN] }, mentions: [BOB] }, 'mentions'],
    ['mentions all', { to: 'status', ...text, status: { audience: [ANN] }, mention_all: true }, 'mention_all'],
    ['disappears', { to: 'status', ...text, status: { audience: [ANN] }, expires_in: 86_400 }, 'expires_in'],
  ])('is refused where it %s', async (_what, request, field) => {
    const refusal = await settle(request);

    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({ code: 'invalid_request', fields: [{ field }] });
  });

  it.each([
    ['image', { id: 'med_1' }],
    ['video', { id: 'med_1' }],
    ['audio', { id: 'med_1', voice: true }],
  ])('is refused where it gives the look of a text to a file of type %s', (type, body) => {
    const status = { audience: [ANN], background_color: '#1f7aec', font: 2 };
    const about = (of: object) => settleStatusOf({ type, [type]: body }, of);

    expect(about(status)).toMatchObject({
      code: 'invalid_request',
      fields: [{ field: 'status.background_color' }, { field: 'status.font' }],
    });
    expect(about({ audience: [ANN] })).toMatchObject({ audience: [ANN] });
  });

  it('forwards a text, and nothing else so far', async () => {
    const forward = { type: 'forward', forward: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' } };
    const ofAnn = (content: object) => ({ direction: 'in', chat: ANN, sender: ANN, content }) as unknown as Message;
    const request = { to: 'status', ...forward, status: { audience: [BOB] } };

    expect(await settle(request, ofAnn(text))).toMatchObject({
      to: STATUS,
      content: text,
      status: { audience: [BOB] },
    });
    const place = { type: 'location', location: { latitude: 1, longitude: 1 } };
    expect(await settle(request, ofAnn(place))).toMatchObject({ code: 'invalid_request', fields: [{ field: 'type' }] });
  });

  it('is the same request in another order and spelling of its people, and another one for other people', () => {
    const hash = (audience: readonly string[]) =>
      hashOfRequest(parse({ to: 'status', ...text, status: { audience } }), STATUS);

    expect(hash(['+49 151 0000 0002', BOB, ANN])).toBe(hash([BOB, ANN]));
    expect(hash([BOB])).not.toBe(hash([BOB, ANN]));
  });
});
