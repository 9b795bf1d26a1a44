import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { otherNameOf, parseJid, phoneNumberOf, toRecipient, withoutDevice } from '../../../shared/kernel/jid.ts';

const SENDABLE = /^(?:[1-9]\d{6,14}@s\.whatsapp\.net|\d{1,20}@lid|\d{1,25}(?:-\d{1,25})?@g\.us)$/;
const servers = ['s.whatsapp.net', 'c.us', 'lid', 'g.us', 'broadcast', 'newsletter', 'call', 'bot'] as const;

describe('the recipient in a request', () => {
  it.each([
    ['+49 151 23456789', '4915123456789@s.whatsapp.net'],
    ['  +49 151 23456789 ', '4915123456789@s.whatsapp.net'],
    [' 236471520047@lid ', '236471520047@lid'],
    ['4915123456789@s.whatsapp.net', '4915123456789@s.whatsapp.net'],
    ['4915123456789@c.us', '4915123456789@s.whatsapp.net'],
    ['4915123456789:0@s.whatsapp.net', '4915123456789@s.whatsapp.net'],
    ['236471520047@lid', '236471520047@lid'],
    ['120363000000000000@g.us', '120363000000000000@g.us'],
    ['4915123456789-1580000000@g.us', '4915123456789-1580000000@g.us'],
  ])('is understood: %s', (text, address) => {
    expect(toRecipient(text)).toBe(address);
  });

  it.each([
    ['a plus sign in an address', '+4915123456789@s.whatsapp.net'],
    ['NUL in an address', '\0@lid'],
    ['braces in an address', '{}@g.us'],
    ['letters in an address', 'ann@s.whatsapp.net'],
    ['digits of another script', '٤٩١٥١٢٣٤٥٦٧٨٩@s.whatsapp.net'],
    ['a number that none can have', '0@s.whatsapp.net'],
    ['one device', '4915123456789:3@s.whatsapp.net'],
    ['status updates', 'status@broadcast'],
    ['a broadcast list', '4242@broadcast'],
    ['a channel', '120363000000000001@newsletter'],
    ['an unknown server', '1@constructor'],
    ['a new line at the end', '4915123456789@s.whatsapp.net\n'],
    ['two addresses', '1@lid@lid'],
    ['a group with three parts', '1-2-3@g.us'],
    ['a national number', '0151 2345678'],
    ['nothing', ''],
  ])('is refused: %s', (_what, text) => {
    expect(toRecipient(text)).toBeUndefined();
  });

  it('is always digits at a server to which one can write, and what this API shows is understood again', () => {
    const user = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.nat().map(String), fc.constant('status'));
    const address = fc.tuple(user, fc.constantFrom('', ':0', ':5'), fc.constantFrom(...servers));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      address.map(([name, device, server]) => `${name}${device}@${server}`),
    );

    fc.assert(
      fc.property(text, (given) => {
        const recipient = toRecipient(given);

        const isNone = recipient === undefined;
        expect(isNone || SENDABLE.test(recipient)).toBe(true);
        expect(isNone || toRecipient(recipient) === recipient).toBe(true);
        expect(isNone || withoutDevice(recipient) === recipient).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an address of WhatsApp', () => {
  it.each(['status@broadcast', '4242@broadcast', '1@newsletter', '13135550002@bot', 'ABC123@call'])(
    'need not be one to which one can write: %s',
    (text) => {
      expect(parseJid(text)).toBeDefined();
    },
  );

  it('tells its phone number only where it is one', () => {
    expect(phoneNumberOf('4915123456789:3@s.whatsapp.net')).toBe('+4915123456789');
    expect(phoneNumberOf('4915123456789@lid')).toBeUndefined();
  });

  it('has another name of the other kind only', () => {
    expect(otherNameOf('1@lid', [undefined, '2@lid', '3:4@s.whatsapp.net'])).toBe('3@s.whatsapp.net');
    expect(otherNameOf('3@s.whatsapp.net', ['4@s.whatsapp.net'])).toBeUndefined();
    expect(otherNameOf('1@g.us', ['2@lid'])).toBeUndefined();
  });
});
