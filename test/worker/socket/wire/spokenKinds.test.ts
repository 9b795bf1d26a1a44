import { sentFileOf } from '../../../../shared/media/sentFile.ts';
import type { FileOfSend } from '../../../../worker/socket/port/connectionSocket.ts';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../../shared/content/content.ts';
import type { AnyContentKind } from '../../../../shared/content/contentKind.ts';
import { contentKinds } from '../../../../shared/content/contentKinds.ts';
import { toContent } from '../../../../shared/wire/content.ts';
import { fromKept, toKept } from '../../../../worker/socket/wire/keptMessage.ts';
import { withSecret } from '../../../../worker/socket/wire/messageSecret.ts';
import type { WireContext } from '../../../../worker/socket/wire/spokenKind.ts';
import { toWire } from '../../../../worker/socket/wire/spokenKinds.ts';
import { interactives, requests } from '../../../shared/message/requests.ts';

const SEALED: ReadonlySet<string> = new Set(['poll_vote', 'event_response']);
const rows: readonly (readonly [string, AnyContentKind])[] = Object.entries(contentKinds);
const examples = rows
  .filter(([, { out }]) => out !== undefined)
  .map(([type, row]) => ({
    type,
    // A kind with an example of its own for sending arrives in another form, and one that is sealed is read by recording.
    isBothWays: row.in !== undefined && row.out?.example === undefined && !SEALED.has(type),
    content: { type, [type]: row.out?.example ?? row.example } as unknown,
  }));
const SECRET = Buffer.alloc(32, 7);
const CHAT: WireContext = {
  chat: '4915100000002@s.whatsapp.net',
  original: {
    type: 'text',
    actedAtMs: 0,
    key: { id: 'ORIGINAL' },
    seal: (use, payload) => ({ use, payload, iv: Buffer.alloc(12) }),
  },
};
const encoded = (message: proto.IMessage): Uint8Array => proto.Message.encode(message).finish();

/** A content without our id of the message that it is about: the wire has WhatsApp's, and recording finds ours. */
function withoutId(content: unknown): unknown {
  const { type, ...bodies } = content as { readonly type: string } & Readonly<Record<string, unknown>>;
  const said = bodies[type] as object;
  if (!('message_id' in said)) return content;
  const { message_id: _id, ...body } = said;
  return { type, [type]: body };
}

describe('a text as a status', () => {
  const text = { type: 'text', text: { body: 'Sale' } } as const;

  it.each([
    [
      { backgroundColor: '#1f7aec', font: 2 },
      { backgroundArgb: 0xff_1f_7a_ec, textArgb: 0xff_ff_ff_ff, font: 2 },
    ],
    [{ backgroundColor: '#000000' }, { backgroundArgb: 0xff_00_00_00, font: 0 }],
    [{}, { backgroundArgb: 0xff_07_5e_54, textArgb: 0xff_ff_ff_ff, font: 0 }],
  ])('has the look %j', async (look, fields) => {
    const { message } = await toWire(text, { ...CHAT, look });

    const read = proto.Message.decode(encoded(message)).extendedTextMessage;
    expect(read).toMatchObject({ text: 'Sale', ...fields });
  });

  it('has none as a message', async () => {
    const { message } = await toWire(text, CHAT);

    expect(message).toEqual({ extendedTextMessage: { text: 'Sale' } });
  });
});

const file: FileOfSend = {
  prepared: {
    objectKey: 'ten/1',
    mimeType: 'image/jpeg',
    bytes: 9,
    sha256: 'AAAA',
    isConverted: false,
    pack: { id: 'a1', stickers: [{ fileName: '1.webp', isAnimated: true }], tray: 'a1.png' },
  },
  cover: { directPath: '/v/2', sha256: 'BBBB', sealedSha256: 'CCCC' },
  url: 'https://mmg.whatsapp.net/v/1',
  directPath: '/v/1',
  key: Buffer.alloc(32, 7).toString('base64'),
  keyAtMs: 1_790_000_000_000,
  sealedSha256: 'AAAA',
  uploadedAtMs: 1_790_000_000_000,
};

describe('a pack of stickers', () => {
  it('names what is in its archive, and its cover', async () => {
    const content = { type: 'sticker_pack', sticker_pack: { id: 'med_1', name: 'Morning', publisher: 'Ada' } } as const;

    const { message, attributes } = await toWire(content, { ...CHAT, file });

    expect(attributes).toEqual({ type: 'media' });
    expect(toContent(encoded(message))).toMatchObject({
      content: {
        type: 'sticker_pack',
        sticker_pack: {
          id: 'a1',
          name: 'Morning',
          publisher: 'Ada',
          origin: 'user_created',
          bytes: 9,
          stickers: [{ filename: '1.webp', animated: true, mime_type: 'image/webp' }],
        },
      },
      files: [{ use: 'sticker_pack', path: '/v/1' }],
    });
    expect(proto.Message.decode(encoded(message)).stickerPackMessage).toMatchObject({
      trayIconFileName: 'a1.png',
      thumbnailDirectPath: '/v/2',
      thumbnailWidth: 252,
    });
  });
});

describe('every kind that is sent', () => {
  it.each(examples.filter(({ content }) => sentFileOf(content as OutboundContent) === undefined))(
    'arrives as what was said: $type',
    async ({ content, isBothWays }) => {
      const { message } = await toWire(content as OutboundContent, CHAT);

      const told = toContent(encoded(withSecret(message, SECRET)));

      // A kind that only we can send is told by its name, where our own devices bring it back.
      expect({ content: told?.content, flags: told?.flags }).toEqual({
        content: isBothWays ? withoutId(content) : told?.content,
        flags: isBothWays ? [] : told?.flags,
      });
    },
  );

  it.each(examples)('is the same after it was kept: $type', async ({ content }) => {
    const wire = await toWire(content as OutboundContent, { ...CHAT, file });
    const { message, ...around } = wire;

    const { message: again, ...aroundAgain } = fromKept(toKept({ ...wire, message: withSecret(message, SECRET) }));

    expect(aroundAgain).toEqual(around);
    expect(Buffer.from(encoded(again))).toEqual(Buffer.from(encoded(withSecret(message, SECRET))));
  });
});

const said = (request: Readonly<Record<string, unknown>>) => request as unknown as OutboundContent;
const sealed = async (request: Readonly<Record<string, unknown>>) => {
  const { message, ...around } = await toWire(said(request), CHAT);
  return { bytes: encoded(withSecret(message, SECRET)), around };
};
/** What Baileys' own protocol finds in a message, without the secret. */
const decoded = (bytes: Uint8Array): Record<string, unknown> => {
  const { messageContextInfo, ...message } = proto.Message.toObject(proto.Message.decode(bytes), {
    longs: Number,
    bytes: String,
  }) as Record<string, unknown>;
  expect(messageContextInfo).toBeDefined();
  return message;
};

describe('a choice', () => {
  it.each<[string, object]>([
    [
      'a button',
      { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'y', title: 'Yes' } } },
    ],
    [
      'a row of a list',
      {
        type: 'interactive',
        interactive: { type: 'list_reply', list_reply: { id: 'm', title: '9:00', description: 'early' } },
      },
    ],
    ['a button of a template', { type: 'button', button: { payload: 'y', text: 'Yes', index: 1 } }],
  ])('arrives as what was chosen, in answer to the message: %s', async (_what, choice) => {
    const contextInfo = { stanzaId: 'OFFER', participant: '222@lid' };

    const { message } = await toWire(said(choice as Record<string, unknown>), { ...CHAT, contextInfo });

    expect(toContent(encoded(message))).toMatchObject({ content: choice, context: { replyTo: { stanzaId: 'OFFER' } } });
  });
});

describe('every request', () => {
  it.each(Object.entries(requests))('is understood by its reader as what was asked: %s', async (_what, request) => {
    const { bytes, around } = await sealed(request);
    const kept = fromKept(toKept({ message: proto.Message.create(), ...around }));

    const told = toContent(bytes)?.content as Record<string, unknown> | undefined;

    const { text } = request as { readonly text?: { readonly preview?: Record<string, unknown> } };
    // The picture of a preview is told to nobody.
    const { thumbnail: _left, ...preview } = text?.preview ?? {};
    const shown = text?.preview === undefined ? request : { ...request, text: { ...text, preview } };
    expect(told).toEqual(shown);
    expect({ nodes: kept.nodes, attributes: kept.attributes }).toEqual({ nodes: undefined, ...around });
  });

  it.each<[string, object, readonly object[] | undefined]>([
    [
      'a text with its preview',
      {
        extendedTextMessage: {
          text: 'read https://example.com/news now',
          matchedText: 'https://example.com/news',
          title: 'News',
          description: 'of today',
          jpegThumbnail: '/9j/4AAQ',
        },
      },
      undefined,
    ],
    [
      'a place',
      { locationMessage: { degreesLatitude: 0, degreesLongitude: -180, name: 'Null', address: 'Sea' } },
      undefined,
    ],
    [
      'a contact without a number',
      {
        contactMessage: {
          displayName: 'Ada; the "first", \\ one\n2',
          vcard: String.raw`BEGIN:VCARD
VERSION:3.0
N:;;;;
FN:Ada\; the "first"\, \\ one\n2
END:VCARD`,
        },
      },
      undefined,
    ],
    [
      'a poll of one answer',
      {
        pollCreationMessageV3: {
          name: 'Lunch?',
          options: [{ optionName: 'Noodles' }, { optionName: 'Rice' }],
          selectableOptionsCount: 1,
          pollContentType: 1,
        },
      },
      [{ tag: 'meta', attrs: { polltype: 'creation' } }],
    ],
    [
      'a poll of any answers',
      {
        pollCreationMessage: {
          name: 'Which days?',
          options: ['Mo', 'Tu', 'We'].map((optionName) => ({ optionName })),
          selectableOptionsCount: 0,
          pollContentType: 1,
        },
      },
      [{ tag: 'meta', attrs: { polltype: 'creation' } }],
    ],
    [
      'a quiz',
      {
        pollCreationMessageV3: {
          name: 'Capital?',
          options: [{ optionName: 'Bonn' }, { optionName: 'Berlin' }],
          selectableOptionsCount: 1,
          pollContentType: 1,
          pollType: 1,
          correctAnswer: {
            optionName: 'Berlin',
            optionHash: 'dad114b6ed7342bac65c79575f6c7ff761ec26b52c1f5f7a9110532973d05df2',
          },
        },
      },
      [{ tag: 'meta', attrs: { polltype: 'creation' } }],
    ],
    [
      'an event',
      {
        eventMessage: {
          isCanceled: false,
          name: 'Party',
          description: 'Bring a hat.',
          location: { degreesLatitude: 52.5, degreesLongitude: 13.25, name: 'Roof', address: 'Way 1' },
          joinLink: 'https://call.whatsapp.com/voice/Ab12_-x',
          startTime: 1_893_607_200,
          endTime: 1_893_621_600,
          extraGuestsAllowed: true,
        },
      },
      [{ tag: 'meta', attrs: { event_type: 'creation' } }],
    ],
    [
      'an invitation',
      {
        groupInviteMessage: {
          groupJid: '120363041234567890@g.us',
          inviteCode: 'ABcd12EFgh34',
          inviteExpiration: 1_893_553_445,
          groupName: 'Staff',
          caption: 'Come in.',
          groupType: 1,
        },
      },
      undefined,
    ],
    ['a request for a number', { requestPhoneNumberMessage: {} }, undefined],
    ['a number that is shown', { protocolMessage: { type: 11 } }, undefined],
  ])('is what the protocol in Baileys reads: %s', async (what, message, nodes) => {
    const { bytes, around } = await sealed(requests[what] ?? {});

    expect(decoded(bytes)).toEqual(message);
    expect(around.nodes).toEqual(nodes);
  });

  it('goes on where the protocol in Baileys ends, in each way in which Baileys encodes it', async () => {
    const request = requests['a poll with an end, hidden names and room for more'] ?? {};
    const wire = await toWire(said(request), CHAT);
    const message = withSecret(wire.message, SECRET);
    const again = fromKept(toKept({ ...wire, message }));

    const ways = [message, again.message, { deviceSentMessage: { destinationJid: 'x', message: again.message } }];

    for (const way of ways) expect(toContent(encoded(way))?.content).toEqual(request);
    expect(again).toMatchObject({ attributes: { type: 'poll' }, nodes: [{ attrs: { polltype: 'creation' } }] });
    // The fields by their numbers: 119, and in it 9 in milliseconds, 10 and 11.
    const hex = Buffer.from(encoded(message)).toString('hex');
    expect(hex).toContain('ba07');
    expect(hex).toContain(`48${varint(Date.parse('2030-01-02T03:04:05.000Z'))}50015801`);
    // When Baileys knows the fields by itself, ours must go.
    expect(Object.keys(proto.Message.prototype)).not.toContain('pollCreationMessageV6');
    expect(encoded({ conversation: 'x' })).toEqual(Buffer.from('0a0178', 'hex'));
  });
});

function varint(value: number): string {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]).toString('hex');
    bytes.push((left % 128) + 128);
  }
}

describe('buttons, lists and links', () => {
  const sent = async (interactive: object): Promise<object | undefined> => {
    const { bytes } = await sealed({ type: 'interactive', interactive });
    return toContent(bytes)?.content;
  };
  const asText = (body: string) => ({ type: 'text', text: { body } });

  it.each([
    ['button', '*Delivery*\n\nShall we come?\n\n1. Yes\n2. No\n\n_Thank you_'],
    [
      'list',
      '*Delivery*\n\nWhen?\n\n*Today*\n1. Noon – 12:00 to 13:00\n2. Evening\n\n*Tomorrow*\n3. Morning\n\n_Thank you_',
    ],
    ['link', 'Where is it?\n\nTrack it: https://example.com/t/1'],
    ['place', 'Where are you?'],
  ] as const)('go as numbered text: %s', async (kind, body) => {
    expect(await sent({ ...interactives[kind], fallback: 'text' })).toEqual(asText(body));
  });

  it.each([
    ['button', { name: 'Shall we come?', options: ['Yes', 'No'], selectable_count: 1 }],
    ['list', { name: 'When?', options: ['Noon', 'Evening', 'Morning'], selectable_count: 1 }],
  ] as const)('go as a poll: %s', async (kind, poll) => {
    expect(await sent({ ...interactives[kind], fallback: 'poll' })).toEqual({ type: 'poll', poll });
  });
});

describe('a kept message', () => {
  it('keeps what stands around it', () => {
    const wire = {
      message: { conversation: 'x' },
      attributes: { edit: '1' },
      nodes: [{ tag: 'meta', attrs: { polltype: 'creation' } }],
    };

    expect(fromKept(toKept(wire))).toMatchObject(wire);
  });

  it('is refused when another version has written it, or nobody has', () => {
    const later = toKept({ message: { conversation: 'x' } });
    later[0] = 2;

    expect(() => fromKept(later)).toThrow('another version');
    expect(() => fromKept(Buffer.alloc(0))).toThrow('another version');
  });
});

describe('the secret of a message', () => {
  it('is chosen for what others may act on, once', () => {
    const chosen = withSecret({ conversation: 'x', messageContextInfo: { messageAddOnDurationInSecs: 5 } }, SECRET);

    expect(chosen.messageContextInfo).toEqual({ messageAddOnDurationInSecs: 5, messageSecret: SECRET });
    expect(withSecret(chosen, Buffer.alloc(32, 9))).toEqual(chosen);
  });

  it('is none of what acts on another message', () => {
    const reaction = { reactionMessage: { text: '👍' } };

    expect(withSecret(reaction, SECRET)).toBe(reaction);
  });
});
