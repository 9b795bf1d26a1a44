import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { proto } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toContent } from '../../../shared/wire/content.ts';
import { bookkeeping, kindOf, messageFields, wrappers } from '../../../shared/wire/messageFields.ts';
import type { Understood } from '../../../shared/wire/understoodKind.ts';
import { understoodKinds } from '../../../shared/wire/understoodKinds.ts';
import { protocolTypes } from '../../../shared/wire/protocolTypes.ts';

const understood: Readonly<Record<string, Understood<unknown>>> = understoodKinds;
const DEVICE_SENT = 31;
/** The types of a `protocolMessage` that have a form, by number. */
const formed: Readonly<Record<number, object>> = {
  11: { type: 'phone_shared', phone_shared: {} },
  32: { type: 'scheduled', scheduled: { canceled: true } },
};
const encode = (message: proto.IMessage): Uint8Array => proto.Message.encode(message).finish();

/** A field of bytes as it stands on the wire. */
function field(number: number, content: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([toNumber(number * 8 + 2), toNumber(bytes.length), bytes]);
}

function toNumber(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}

const text = (body: string) => ({ type: 'text', text: { body } });
const unsupported = (kind: string, more: object = {}) => ({ type: 'unsupported', unsupported: { kind, ...more } });
const inFields = (path: readonly number[], bytes: Uint8Array): Uint8Array =>
  path.reduceRight((inner, number) => field(number, field(wrappers.get(number)?.inner ?? 1, inner)), bytes);

/** The fields of `Message` in the protocol that Baileys brings: number, name and type. */
const baileysFields = (() => {
  const main = createRequire(import.meta.url).resolve('@whiskeysockets/baileys');
  const source = readFileSync(join(dirname(main), '../WAProto/WAProto.proto'), 'utf8');
  const start = source.indexOf('\nmessage Message {');
  const body = source.slice(start, source.indexOf('\n}', start));
  // The fields of the messages within stand further in.
  return [...body.matchAll(/^ {4}optional (\S+) (\w+) = (\d+);/gm)].map(([, type, name, number]) => ({
    number: Number(number),
    name: name ?? '',
    type: type ?? '',
  }));
})();

describe('the table of the fields of a message', () => {
  it('has every field that Baileys knows, under the same name, but for one that has moved', () => {
    const differing = baileysFields.filter(({ number, name }) => messageFields[number] !== name);

    expect(baileysFields.length).toBeGreaterThan(90);
    expect(differing.map(({ number, name }) => [number, name])).toEqual([[114, 'pollResultSnapshotMessageV3']]);
    expect(messageFields[115]).toBe('pollResultSnapshotMessageV3');
  });

  it('takes every field that wraps a message for a wrapper', () => {
    const wrapping = baileysFields.filter(({ type }) => type === 'FutureProofMessage').map(({ number }) => number);

    expect(wrapping.length).toBeGreaterThan(22);
    expect([...wrapping, DEVICE_SENT].filter((number) => !wrappers.has(number))).toEqual([]);
  });

  it('gives every kind a name without its version', () => {
    expect([69, 55, 59, 93, 95, 103, 118, 300].map(kindOf)).toEqual([
      'callLog',
      'viewOnce',
      'viewOnce',
      'pollCreation',
      'statusAddYours',
      'groupStatus',
      'spoiler',
      'field_300',
    ]);
  });
});

describe('a message in a wrapper', () => {
  const each = [...wrappers].map(([number, { flag }]) => ({
    number,
    name: messageFields[number] ?? '',
    flags: flag === undefined ? [] : [flag],
  }));

  it.each(each)('is opened: $name', ({ number, flags }) => {
    const words = inFields([number], encode({ extendedTextMessage: { text: 'hello' } }));
    const log = inFields([number], encode({ placeholderMessage: { type: 0 } }));
    const unknown = inFields([number], field(300, 'x'));
    const broken = inFields([number], Buffer.from([0x0a, 5]));

    expect(toContent(words)).toEqual({ content: text('hello'), flags });
    expect(toContent(log)).toEqual({ content: unsupported('placeholder'), flags });
    expect(toContent(unknown)).toEqual({ content: unsupported('field_300', { fields: [300] }), flags });
    expect(toContent(broken)).toEqual({ content: unsupported('malformed', { bytes: broken.length }), flags });
  });

  it.each(each.filter(({ number }) => number !== DEVICE_SENT))('that is empty is told by it: $name', (wrapper) => {
    const { number, flags } = wrapper;

    expect(toContent(field(number))).toEqual({ content: unsupported(kindOf(number)), flags });
    expect(toContent(inFields([number], Buffer.of()))).toEqual({ content: unsupported(kindOf(number)), flags });
  });

  it.each(each)('is nothing when that is bookkeeping: $name', ({ number }) => {
    expect(
      toContent(inFields([number], encode({ messageContextInfo: { messageSecret: Buffer.of(1) } }))),
    ).toBeUndefined();
  });

  it('keeps what it came in, from the outside in, each once', () => {
    const bytes = encode({
      deviceSentMessage: {
        destinationJid: '1@s.whatsapp.net',
        message: {
          ephemeralMessage: {
            message: {
              viewOnceMessage: { message: { viewOnceMessageV2: { message: { conversation: 'look' } } } },
              messageContextInfo: {},
            },
          },
        },
      },
    });

    expect(toContent(bytes)).toEqual({ content: text('look'), flags: ['ephemeral', 'viewOnce'] });
  });

  it('is opened five deep and not six; what our own device puts around it does not count', () => {
    const five = [37, 40, 53, 58, 62];

    expect(toContent(inFields([DEVICE_SENT, ...five], encode({ conversation: 'deep' })))?.content).toEqual(
      text('deep'),
    );
    expect(toContent(inFields([...five, 118], encode({ conversation: 'deeper' })))).toEqual({
      content: unsupported('spoiler'),
      flags: ['viewOnce', 'ephemeral', 'documentWithCaption', 'edited', 'groupMentioned'],
    });
    expect(toContent(inFields([40, DEVICE_SENT], encode({ conversation: 'forged' })))?.content).toEqual(
      unsupported('deviceSent'),
    );
  });

  it('ends soon, however deep it is wrapped', () => {
    const bytes = inFields(
      Array.from({ length: 2_000 }, (_, index) => (index % 2 === 0 ? 40 : 31)),
      encode({ conversation: 'x' }),
    );

    expect(toContent(bytes)?.content).toEqual(unsupported('deviceSent'));
  });

  it('says what stands beside an empty wrapper, and a text before all else', () => {
    const hidden = encode({ ephemeralMessage: {}, placeholderMessage: { type: 0 } });
    const second = Buffer.concat([field(40), inFields([118], encode({ conversation: 'hidden' }))]);

    expect(toContent(hidden)).toEqual({ content: unsupported('placeholder'), flags: [] });
    expect(toContent(second)).toEqual({ content: text('hidden'), flags: ['spoiler'] });
    expect(toContent(encode({ conversation: 'words', stickerMessage: {} }))?.content).toEqual(text('words'));
  });
});

describe('the content of a message', () => {
  it.each<readonly [what: string, message: proto.IMessage, content: object]>([
    ['a text', { conversation: 'hi' }, text('hi')],
    ['an empty text beside a longer one', { conversation: '', extendedTextMessage: { text: 'hi' } }, text('hi')],
    ['a text in the words of this code', { conversation: 'malformed' }, text('malformed')],
    ['a longer text in the words of this code', { extendedTextMessage: { text: 'nothing' } }, text('nothing')],
    ['a text with a link', { extendedTextMessage: { text: 'see', matchedText: 'see' } }, text('see')],
    ['a text beside the key of a group', { senderKeyDistributionMessage: {}, conversation: 'hi' }, text('hi')],
    ['an empty text alone', { conversation: '' }, unsupported('conversation')],
    ['a link alone', { extendedTextMessage: { matchedText: 'x' } }, unsupported('extendedText')],
    ['what is hidden from linked devices', { placeholderMessage: {} }, unsupported('placeholder')],
    ['a poll of the third kind', { pollCreationMessageV3: {} }, unsupported('pollCreation')],
    ['a comment', { encCommentMessage: {} }, unsupported('encComment')],
    ['a chat with its bookkeeping', { messageContextInfo: {}, chat: { id: 'x' } }, unsupported('chat')],
  ])('is told: %s', (_what, message, content) => {
    expect(toContent(encode(message))).toEqual({ content, flags: [] });
  });

  it.each(Object.keys(messageFields).map(Number))('is told or on the list of bookkeeping: field %i', (number) => {
    const told = toContent(field(number, number === 12 ? Buffer.of(0x10, 0) : ''));

    expect(told === undefined).toBe(bookkeeping[number] !== undefined);
    expect(understood[told?.content.type ?? '']?.fields ?? [number]).toContain(number);
  });

  it.each([11, 114, 132, 300, 536_870_911])('is told by its number where it has no name: field %i', (number) => {
    const kind = kindOf(number);
    const fields = kind.startsWith('field_') ? { fields: [number] } : {};

    expect(toContent(field(number, 'anything'))?.content).toEqual(unsupported(kind, fields));
    expect(toContent(Buffer.concat([field(35), field(number)]))?.content).toEqual(unsupported(kind, fields));
  });

  it('names unknown fields once each, the smallest first, and not without end', () => {
    const many = Buffer.concat(Array.from({ length: 500 }, (_, index) => field(900 - (index % 250))));
    const told = toContent(Buffer.concat([field(301), field(300), field(301)]));
    const told500 = toContent(many)?.content;

    expect(told?.content).toEqual(unsupported('field_300', { fields: [300, 301] }));
    expect(told500?.type === 'unsupported' ? told500.unsupported.fields?.length : 0).toBe(16);
  });

  it('is told by its number when a known field is not what it should be', () => {
    expect(toContent(Buffer.of(0x08, 1))?.content).toEqual(unsupported('field_1', { fields: [1] }));
  });

  it('is told when it is nothing at all, and when it is no message', () => {
    expect(toContent(Buffer.of())?.content).toEqual(unsupported('empty'));
    expect(toContent(Buffer.from('no message'))?.content).toEqual(unsupported('malformed', { bytes: 10 }));
  });

  it('makes whole text of bytes that are none', () => {
    const told = toContent(field(1, Buffer.of(0x61, 0xed, 0xa0, 0xbd, 0x62)));

    expect(told?.content.type === 'text' && told.content.text.body.isWellFormed()).toBe(true);
  });

  it.each(
    Object.values(proto.Message.ProtocolMessage.Type)
      .filter((type): type is number => typeof type === 'number')
      .map((type) => ({ type, name: proto.Message.ProtocolMessage.Type[type] ?? '' })),
  )('is decided for what devices tell each other: $name', ({ type }) => {
    const told = toContent(encode({ protocolMessage: { type } }));
    const decided = protocolTypes[type];
    if (decided === undefined) throw new Error('a type that nobody decided on');

    const named = 'told' in decided ? unsupported(decided.told) : undefined;
    const content = formed[type] ?? named;
    expect(told).toEqual(content === undefined ? undefined : { content, flags: [] });
  });

  it('is told by number when it is of a type that nobody knows yet', () => {
    expect(toContent(field(12, Buffer.of(0x10, 99)))?.content).toEqual(unsupported('protocol_99'));
    expect(toContent(field(12))?.content).toEqual(unsupported('protocol'));
    expect(toContent(encode({ protocolMessage: { type: 0 } }))?.content).toEqual(unsupported('revoke'));
    expect(toContent(encode({ editedMessage: { message: { protocolMessage: { type: 14 } } } }))).toEqual({
      content: unsupported('edit'),
      flags: ['edited'],
    });
  });

  it('is never lost: random bytes are told, or hold nothing but fields on the list of bookkeeping', () => {
    const silent = new Set([...Object.keys(bookkeeping), '12', ...[...wrappers.keys()].map(String)]);
    const looks = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const unread = toContent(bytes) === undefined ? topLevelOf(bytes) : [];
      expect(unread.filter((number) => !silent.has(number))).toEqual([]);
    });
    expect(() => fc.assert(looks, { numRuns: 5_000 })).not.toThrow();
  });

  it('is read whole, however many fields it has', () => {
    const wide = Buffer.concat(
      Array.from({ length: 100_000 }, (_, index) => field(40 + (index % 5), Buffer.of(0x0a, 0))),
    );

    expect(toContent(wide)?.content.type).toBe('interactive');
  });
});

function topLevelOf(bytes: Uint8Array): string[] {
  let decoded: Record<string, unknown>;
  try {
    decoded = proto.Message.toObject(proto.Message.decode(bytes));
  } catch {
    // Baileys reads no field of it at all, because one of those on the list holds nonsense.
    return [];
  }
  const numbers = new Map(Object.entries(messageFields).map(([number, name]) => [name, number]));
  return Object.keys(decoded).map((name) => numbers.get(name) ?? name);
}
