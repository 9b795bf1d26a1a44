import { proto } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contacts, type Contact } from '../../../shared/content/kinds/contacts.ts';
import { THUMBNAIL } from '../../whatsapp/media/thumbnail.ts';
import { toContent } from '../../../shared/wire/content.ts';
import { readPhoto, readVCard, writeVCard } from '../../../shared/wire/vcard.ts';

const card = (...lines: readonly string[]): string => ['BEGIN:VCARD', ...lines, 'END:VCARD'].join('\r\n');

describe('a card', () => {
  it.each<[string, string, string, object]>([
    [
      'as WhatsApp writes it',
      card(
        'VERSION:3.0',
        'N:Lovelace;Ada;;;',
        'FN:Ada Lovelace',
        'TEL;type=CELL;type=VOICE;waid=4915123456789:+49 151 23456789',
      ),
      'Ada L.',
      {
        name: { formatted_name: 'Ada L.', first_name: 'Ada', last_name: 'Lovelace' },
        phones: [{ phone: '+49 151 23456789', type: 'CELL', wa_id: '4915123456789' }],
      },
    ],
    [
      'of a telephone by Apple, with labels in groups',
      card(
        'VERSION:3.0',
        'FN:Bob',
        'item1.TEL;waid=15551234567:+1 (555) 123-4567',
        'item1.X-ABLabel:_$!<Mobile>!$_',
        'item2.EMAIL;type=INTERNET;type=pref:bob@example.com',
        'item2.X-ABLabel:Shop',
        'ORG:Acme\\; Inc.;Sales;',
      ),
      '',
      {
        name: { formatted_name: 'Bob' },
        phones: [{ phone: '+1 (555) 123-4567', type: 'MOBILE', wa_id: '15551234567' }],
        emails: [{ email: 'bob@example.com', type: 'SHOP' }],
        org: { company: 'Acme; Inc.', department: 'Sales' },
      },
    ],
    [
      'of version 2.1, in quoted-printable over two lines',
      card(
        'VERSION:2.1',
        'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BC=',
        'rgen;;;',
        'TEL;CELL;PREF:0151 1',
        'PHOTO;ENCODING=BASE64;JPEG:AAAA',
        ' BBBB',
      ),
      '',
      {
        name: { formatted_name: 'Jürgen Müller', first_name: 'Jürgen', last_name: 'Müller' },
        phones: [{ phone: '0151 1', type: 'CELL' }],
      },
    ],
    [
      'of version 4.0',
      card(
        'VERSION:4.0',
        'FN:Ada',
        'TEL;VALUE=uri;TYPE="home,voice":tel:+49-30-1',
        'ADR;TYPE=work;CC=DE:;;Way 1\\, back;Ber',
        ' lin;BE;10117;Germany',
        'BDAY:19901210',
        'URL:https://example.com',
        'TITLE:Analyst',
      ),
      '',
      {
        name: { formatted_name: 'Ada' },
        phones: [{ phone: '+49-30-1', type: 'HOME' }],
        addresses: [
          {
            street: 'Way 1, back',
            city: 'Berlin',
            state: 'BE',
            zip: '10117',
            country: 'Germany',
            country_code: 'DE',
            type: 'WORK',
          },
        ],
        urls: [{ url: 'https://example.com' }],
        org: { title: 'Analyst' },
        birthday: '19901210',
      },
    ],
    ['that is none', 'hello', 'Ada', { name: { formatted_name: 'Ada' } }],
    ['of somebody without anything', '', '', { name: { formatted_name: '' } }],
    [
      'with an account that is no number',
      card('TEL;waid=1;x:1', 'TEL;waid=abc:2'),
      'A',
      { phones: [{ phone: '1', wa_id: '1' }, { phone: '2' }] },
    ],
  ])('is read: %s', (_what, text, displayName, contact) => {
    expect(readVCard(text, displayName)).toMatchObject(contact);
  });

  it('is written so that no value ends its line or begins another field', () => {
    const hostile = 'x\r\nTEL;waid=1:666\n;,\\';
    const written = writeVCard({ name: { formatted_name: hostile, last_name: hostile }, phones: [{ phone: hostile }] });

    expect(written.split('\n').length).toBe(6);
    expect(readVCard(written, '')).toMatchObject({
      name: { formatted_name: hostile.replace('\r\n', '\n'), last_name: hostile.replace('\r\n', '\n') },
      phones: [{ phone: hostile.replace('\r\n', '\n') }],
    });
  });

  it('names the account of a number that is given without it', () => {
    expect(writeVCard({ name: { formatted_name: 'A' }, phones: [{ phone: '+49 151 23456789' }] })).toContain(
      'TEL;waid=4915123456789:+49 151 23456789',
    );
  });

  it('reads what it wrote, whatever that was', () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .map((text) => `x${text.replaceAll('\r', '')}x`);
    const contact = fc.record({
      name: fc.record({ formatted_name: word, first_name: word, last_name: word }),
      phones: fc.array(fc.record({ phone: word, type: fc.constantFrom('CELL', 'WORK'), wa_id: fc.constant('49151') }), {
        minLength: 1,
        maxLength: 3,
      }),
      org: fc.record({ company: word, title: word }),
    });

    fc.assert(
      fc.property(contact, (each) => {
        expect(readVCard(writeVCard(each), '')).toEqual(each);
      }),
    );
  });

  it('never throws, and is bounded, whatever a stranger writes', () => {
    const lines = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc
          .tuple(fc.constantFrom('N', 'TEL', 'ADR', 'ORG', 'FN', 'item1.TEL'), fc.string())
          .map(([name, value]) => `${name};x=${value}:${value}`),
      ),
      { maxLength: 50 },
    );

    fc.assert(
      fc.property(lines, fc.string({ unit: 'binary' }), (each, displayName) => {
        const bound = contacts.in.bound([readVCard(each.join('\n'), displayName)] as Contact[]);
        expect(bound.length).toBe(1);
        expect(contacts.shown.parse(bound)).toEqual(bound);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['backslashes without end', `N:${'x'.repeat(9_000)}\\`],
    ['semicolons without end', `N:${';'.repeat(9_900)}`],
    ['parameters without end', `TEL${';a'.repeat(4_900)}`],
    ['lines without end', 'N:x\n'],
    ['soft breaks without end', 'N;ENCODING=QUOTED-PRINTABLE:=\n'],
  ])('takes time that grows with its length alone: %s', (_what, line) => {
    const before = process.cpuUsage();

    for (let card = 0; card < 10; card += 1) readVCard(`${line}\n`.repeat(Math.floor(200_000 / line.length)), '');

    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000);
  });
});

describe('the photo in a card', () => {
  const jpeg = THUMBNAIL.toString('base64');
  const folded = jpeg.replaceAll(/.{60}/g, '$&\r\n ');

  it.each([
    ['of version 3.0, as WhatsApp writes it', `PHOTO;ENCODING=b;TYPE=JPEG:${jpeg}`],
    ['of version 2.1, with lines that go on', `PHOTO;JPEG;BASE64:${folded}\r\n`],
    ['of version 2.1, by its long name', `PHOTO;ENCODING=BASE64;TYPE=JPEG:${jpeg}`],
    ['of version 4.0', `PHOTO:data:image/jpeg;base64,${jpeg}`],
    ['in a group', `item1.PHOTO;TYPE=JPEG;ENCODING=b:${jpeg}`],
  ])('%s is the small picture that it is', (_which, line) => {
    expect(readPhoto(card('VERSION:3.0', 'FN:Ada', line, 'TEL:1'))).toEqual(new Uint8Array(THUMBNAIL));
  });

  it.each([
    ['a link', 'PHOTO;VALUE=uri:http://169.254.169.254/latest'],
    ['a link in place of bytes', 'PHOTO;ENCODING=b:https://example.com/a.jpg'],
    ['no picture', `PHOTO;ENCODING=b;TYPE=JPEG:${Buffer.from('<svg onload=alert(1)>').toString('base64')}`],
    ['another type', `PHOTO:data:image/svg+xml;base64,${jpeg}`],
    ['ten megabytes', `PHOTO;ENCODING=b;TYPE=JPEG:${'A'.repeat(10_000_000)}`],
    ['ten megabytes of lines that go on', `PHOTO;ENCODING=b:${'A\r\n '.repeat(2_500_000)}`],
    ['nothing', 'PHOTO;ENCODING=b:'],
  ])('is none where it is %s', (_which, line) => {
    expect(readPhoto(card('VERSION:3.0', line))).toBeUndefined();
  });

  it('never throws, whatever is in the card', () => {
    const piece = fc.constantFrom(
      'PHOTO',
      ';',
      ':',
      '=',
      'b',
      'ENCODING',
      'data:image/jpeg;base64,',
      '\r\n ',
      '\n',
      jpeg,
      '%',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' }))), (pieces) => {
        expect(() => readPhoto(pieces.join(''))).not.toThrow();
      }),
    );
  });

  it('is a file of its message, and no part of the contact', () => {
    const vcard = card('VERSION:3.0', 'FN:Ada', `PHOTO;ENCODING=b;TYPE=JPEG:${jpeg}`);
    const many = { contactsArrayMessage: { contacts: [{ displayName: 'Bob', vcard: card('FN:Bob') }, { vcard }] } };

    const told = toContent(proto.Message.encode(many).finish());

    expect(told?.files).toEqual([
      expect.objectContaining({
        use: 'image',
        part: '1.photo',
        inside: true,
        bytes: THUMBNAIL.length,
        thumbnail: jpeg,
      }),
    ]);
    expect(JSON.stringify(told?.content)).not.toContain(jpeg.slice(0, 40));
  });

  it('is written as it is read', () => {
    const contact = { name: { formatted_name: 'Ada' } };

    expect(readPhoto(writeVCard(contact, jpeg))).toEqual(new Uint8Array(THUMBNAIL));
    expect(readVCard(writeVCard(contact, jpeg), '')).toEqual(readVCard(writeVCard(contact), ''));
  });
});
