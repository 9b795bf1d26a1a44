import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { toPost } from '../../../../worker/socket/wire/post.ts';

const CHANNEL = '120363000000000001@newsletter';

describe('the stanza of a post', () => {
  it.each<[type: string | undefined, message: proto.IMessage]>([
    [undefined, { extendedTextMessage: { text: 'News' } }],
    [undefined, { conversation: 'News' }],
    ['url', { extendedTextMessage: { text: 'https://example.com', matchedText: 'https://example.com' } }],
    ['image', { imageMessage: {} }],
    ['video', { videoMessage: {} }],
    ['gif', { videoMessage: { gifPlayback: true } }],
    ['ptv', { ptvMessage: {} }],
    ['audio', { audioMessage: {} }],
    ['ptt', { audioMessage: { ptt: true } }],
    ['document', { documentMessage: {} }],
    ['document', { documentWithCaptionMessage: { message: { documentMessage: {} } } }],
    ['sticker', { stickerMessage: {} }],
  ])('says what it brings, open to all: %s', (type, message) => {
    const { attrs, content } = toPost({ message, attributes: { media_id: 'handle' } }, CHANNEL, '3EB0');

    expect(attrs).toEqual({
      to: CHANNEL,
      id: '3EB0',
      type: type === undefined ? 'text' : 'media',
      media_id: 'handle',
    });
    expect(content).toEqual([
      {
        tag: 'plaintext',
        attrs: type === undefined ? {} : { mediatype: type },
        content: proto.Message.encode(message).finish(),
      },
    ]);
  });
});
