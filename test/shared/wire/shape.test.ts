import { proto } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readContext } from '../../../shared/wire/contextInfo.ts';
import { bytes, double, flag, float, integer, part, parts, shape, text, texts } from '../../../shared/wire/shape.ts';

const key = shape({ chat: text(1), fromMe: flag(2), stanzaId: text(3) });
const everything = shape({
  text: text(1),
  bytes: bytes(2),
  integer: integer(3),
  flag: flag(4),
  double: double(5),
  float: float(6),
  texts: texts(7),
  part: part(8, key),
  parts: parts(9, key),
});

describe('a shape', () => {
  it('reads what Baileys writes: a location', () => {
    const location = shape({
      latitude: double(1),
      longitude: double(2),
      name: text(3),
      isLive: flag(6),
      speed: float(8),
    });
    const written = { degreesLatitude: -33.5, degreesLongitude: 151.25, name: 'Quay', isLive: true, speedInMps: 1.5 };

    const read = location.read(proto.Message.LocationMessage.encode(written).finish());

    expect(read).toEqual({ latitude: -33.5, longitude: 151.25, name: 'Quay', isLive: true, speed: 1.5 });
  });

  it('leaves out what is not there, what is empty, and fields of another type', () => {
    expect(everything.read(Buffer.from([]))).toEqual({});
    expect(everything.read(Buffer.from([0x0a, 0, 0x12, 0, 0x20, 0]))).toEqual({});
    expect(everything.read(Buffer.from([0x08, 1, 0x1a, 1, 0x61]))).toEqual({});
  });

  it('takes the last of several, the sum of the parts of a message, and all of a list', () => {
    const read = everything.read(
      Buffer.concat([
        Buffer.from([0x0a, 1, 0x61, 0x0a, 1, 0x62]),
        Buffer.from([0x42, 3, 0x0a, 1, 0x63, 0x42, 3, 0x1a, 1, 0x64]),
        Buffer.from([0x4a, 3, 0x0a, 1, 0x65, 0x4a, 0, 0x3a, 1, 0x66, 0x3a, 0]),
      ]),
    );

    expect(read).toEqual({
      text: 'b',
      part: { chat: 'c', stanzaId: 'd' },
      parts: [{ chat: 'e' }, {}],
      texts: ['f'],
    });
  });

  it('is malformed where a part of it is', () => {
    expect(everything.read(Buffer.from([0x42, 1, 0x0a]))).toBe('malformed');
    expect(everything.read(Buffer.from([0x4a, 1, 0x0a]))).toBe('malformed');
  });

  it('reads the same as Baileys, whatever a key says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), fc.string(), (remoteJid, fromMe, id) => {
        const written = proto.MessageKey.encode({ remoteJid, fromMe, id }).finish();
        const { remoteJid: chat, id: stanzaId } = proto.MessageKey.decode(written);

        expect(key.read(written)).toEqual({
          ...(chat ? { chat } : {}),
          ...(fromMe ? { fromMe } : {}),
          ...(stanzaId ? { stanzaId } : {}),
        });
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (written) => void everything.read(written)));
  });
});

describe('the context of a message', () => {
  const contextOf = (context: proto.IContextInfo) => readContext([proto.ContextInfo.encode(context).finish()]);

  it('names the message that it answers, whom it mentions, how often it was forwarded, and when it ends', () => {
    const context = contextOf({
      stanzaId: '3EB0',
      participant: '4915100000002:3@s.whatsapp.net',
      mentionedJid: ['236471520047@lid'],
      forwardingScore: 7,
      isForwarded: true,
      expiration: 86_400,
      groupMentions: [{ groupJid: '120363@g.us', groupSubject: 'Crew' }, {}],
    });

    expect(context).toEqual({
      replyTo: { stanzaId: '3EB0', sender: '4915100000002@s.whatsapp.net' },
      mentions: ['236471520047@lid'],
      forwarded: 7,
      expiresIn: 86_400,
      groupMentions: [{ id: '120363@g.us', subject: 'Crew' }],
    });
  });

  it('counts a message as forwarded once where it says no number', () => {
    expect(contextOf({ isForwarded: true })).toEqual({ forwarded: 1 });
  });

  it('tells of an advertisement, and takes no preview of a link for one', () => {
    const advertisement = { title: 'Shoes', body: 'Half price', sourceUrl: 'https://fb.me/1', sourceId: '12' };

    expect(contextOf({ externalAdReply: { ...advertisement, sourceType: 'ad', ctwaClid: 'click' } })).toEqual({
      referral: {
        headline: 'Shoes',
        body: 'Half price',
        source_url: 'https://fb.me/1',
        source_id: '12',
        source_type: 'ad',
        ctwa_clid: 'click',
      },
    });
    expect(contextOf({ externalAdReply: advertisement })).toEqual({});
  });

  it('says nothing where it is absent, or nonsense', () => {
    expect(readContext(undefined)).toEqual({});
    expect(readContext([Buffer.from([0x0a])])).toEqual({});
  });
});
