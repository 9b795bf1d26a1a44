import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../shared/content/content.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import { toChannel } from '../../../shared/kernel/jid.ts';
import { refusalOfPost } from '../../../shared/message/settleChannel.ts';
import { resolveRecipient } from '../../../shared/message/settleRequest.ts';

const CHANNEL = '120363000000000001@newsletter';
const ANN = '4915100000002@s.whatsapp.net';
const text = { type: 'text', text: { body: 'News' } } as const;
const fieldsOf = (envelope: object, content: object, to = CHANNEL): readonly string[] | undefined => {
  const refusal = refusalOfPost(envelope, content as OutboundContent, to);
  expect(refusal === undefined || refusal instanceof AppError).toBe(true);
  return refusal?.fields?.map(({ field }) => field);
};

describe('a request for a post in a channel', () => {
  it.each([CHANNEL, ` ${CHANNEL} `])('goes to the channel %j', (to) => {
    expect(resolveRecipient(to)).toBe(CHANNEL);
  });

  it.each(['@newsletter', 'news@newsletter', '12:3@newsletter', `${'1'.repeat(26)}@newsletter`, `${CHANNEL}\n1`])(
    'goes nowhere by %j',
    (to) => {
      expect(toChannel(to)).toBeUndefined();
      expect(() => resolveRecipient(to)).toThrow(AppError);
    },
  );

  it.each(['text', 'image', 'video', 'video_note', 'audio', 'document', 'sticker'])('may be of type %s', (type) => {
    expect(fieldsOf({}, { type, [type]: {} })).toBeUndefined();
  });

  it.each(['album', 'poll', 'location', 'contacts', 'event', 'interactive'])('is never of type %s', (type) => {
    expect(fieldsOf({}, { type, [type]: {} })).toEqual(['type']);
  });

  it.each([
    ['an answer', { context: { message_id: 'msg_1' } }, text, ['context']],
    ['mentions', { mentions: [ANN] }, text, ['mentions']],
    ['what disappears', { expires_in: 86_400 }, text, ['expires_in']],
    ['what is opened once', {}, { type: 'image', image: { view_once: true } }, ['image.view_once']],
  ])('is no %s, and is one to somebody else', (_what, envelope, content, fields) => {
    expect(fieldsOf(envelope, content)).toEqual(fields);
    expect(fieldsOf(envelope, content, ANN)).toBeUndefined();
  });

  it('passes over what asks for nothing, as clients send it with every message', () => {
    expect(fieldsOf({ mentions: [], mention_all: false, expires_in: 0 }, text)).toBeUndefined();
  });
});
