import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../../shared/content/content.ts';
import type { AnyContentKind } from '../../../../shared/content/contentKind.ts';
import { contentKinds } from '../../../../shared/content/contentKinds.ts';
import { toContent } from '../../../../shared/wire/content.ts';
import { fromKept, toKept } from '../../../../worker/socket/wire/keptMessage.ts';
import { withSecret } from '../../../../worker/socket/wire/messageSecret.ts';
import { toWire } from '../../../../worker/socket/wire/spokenKinds.ts';

const rows: readonly (readonly [string, AnyContentKind])[] = Object.entries(contentKinds);
const examples = rows
  .filter(([, { out }]) => out !== undefined)
  .map(([type, row]) => ({
    type,
    isBothWays: row.in !== undefined,
    content: { type, [type]: row.example } as unknown,
  }));
const SECRET = Buffer.alloc(32, 7);
const encoded = (message: proto.IMessage): Uint8Array => proto.Message.encode(message).finish();

describe('every kind that is sent', () => {
  it.each(examples)('arrives as what was said: $type', async ({ content, isBothWays }) => {
    const { message } = await toWire(content as OutboundContent, { chat: '4915100000002@s.whatsapp.net' });

    const told = toContent(encoded(withSecret(message, SECRET)));

    // A kind that only we can send is told by its name, where our own devices bring it back.
    expect({ content: told?.content, flags: told?.flags }).toEqual({
      content: isBothWays ? content : told?.content,
      flags: [],
    });
  });

  it.each(examples)('is the same after it was kept: $type', async ({ content }) => {
    const wire = await toWire(content as OutboundContent, { chat: '4915100000002@s.whatsapp.net' });
    const { message, ...around } = wire;

    const { message: again, ...aroundAgain } = fromKept(toKept({ ...wire, message: withSecret(message, SECRET) }));

    expect(aroundAgain).toEqual(around);
    expect(Buffer.from(encoded(again))).toEqual(Buffer.from(encoded(withSecret(message, SECRET))));
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
