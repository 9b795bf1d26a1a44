import { z } from 'zod';
import { always, list, prose, said, word } from '../bodyField.ts';
import { BODY_UNITS, record } from '../bodyShape.ts';
import { askedName } from '../namedFile.ts';
import type { ContentKind } from '../contentKind.ts';

/** The most contacts in one message, as in the Cloud API. */
const MOST_CONTACTS = 257;
const MOST_OF_EACH = 20;
const TEXT_LIMIT = 256;
/** The UTF-16 units of each part of a received contact. */
const RECEIVED_UNITS = 1_024;
const ID_UNITS = 64;
/** The most contacts of one message that have a photo: ten of 12 KB are half of what a message may be. */
const MOST_PHOTOS = 10;

const part = prose(RECEIVED_UNITS);
const contact = record({
  name: always(
    record({
      formatted_name: always(part, ''),
      first_name: part,
      last_name: part,
      middle_name: part,
      prefix: part,
      suffix: part,
    }),
    { formatted_name: '' },
  ),
  phones: said(
    list(
      record({
        wa_id: said(word(), 'The digits of the WhatsApp account; absent where there is none.'),
        type: part,
        phone: part,
      }),
      MOST_OF_EACH,
    ),
    'Absent where the contact is known by a username alone.',
  ),
  emails: list(record({ email: part, type: part }), MOST_OF_EACH),
  urls: list(record({ url: part, type: part }), MOST_OF_EACH),
  addresses: list(
    record({ street: part, city: part, state: part, zip: part, country: part, country_code: part, type: part }),
    MOST_OF_EACH,
  ),
  org: record({ company: part, department: part, title: part }),
  birthday: said(part, 'Such as 1990-12-24.'),
  photo: said(record({ id: word(ID_UNITS) }), 'Of what you sent: the file whose picture is on the card.'),
});
const all = list(contact, MOST_CONTACTS);
/** One contact, with the names of the Cloud API. */
export type Contact = z.infer<typeof contact.schema>;

const text = z.string().max(TEXT_LIMIT);
const type = z.string().regex(/^[A-Za-z]{1,20}$/, 'must be a word, such as CELL or HOME');
const digits = z.string().regex(/^[1-9]\d{6,14}$/, 'must be the digits of a number, without +');
const askedContact = z.strictObject({
  name: z.strictObject({
    formatted_name: text.min(1),
    first_name: text.optional(),
    last_name: text.optional(),
    middle_name: text.optional(),
    prefix: text.optional(),
    suffix: text.optional(),
  }),
  phones: z
    .array(z.strictObject({ phone: text.min(1), type: type.optional(), wa_id: digits.optional() }))
    .max(MOST_OF_EACH)
    .optional(),
  emails: z
    .array(z.strictObject({ email: text, type: type.optional() }))
    .max(MOST_OF_EACH)
    .optional(),
  urls: z
    .array(z.strictObject({ url: text, type: type.optional() }))
    .max(MOST_OF_EACH)
    .optional(),
  addresses: z
    .array(
      z.strictObject({
        street: text.optional(),
        city: text.optional(),
        state: text.optional(),
        zip: text.optional(),
        country: text.optional(),
        country_code: text.optional(),
        type: type.optional(),
      }),
    )
    .max(MOST_OF_EACH)
    .optional(),
  org: z.strictObject({ company: text.optional(), department: text.optional(), title: text.optional() }).optional(),
  birthday: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, such as 1990-12-24')
    .optional(),
  photo: z
    .strictObject(askedName)
    .refine(({ id, link }) => (id === undefined) !== (link === undefined), {
      error: 'must have either id or link',
      path: ['id'],
    })
    .optional(),
});

export const contacts = {
  description: 'One or more contacts.',
  cloud: true,
  example: [
    {
      name: { formatted_name: 'Ada Lovelace', first_name: 'Ada', last_name: 'Lovelace' },
      phones: [{ phone: '+49 151 23456789', type: 'CELL', wa_id: '4915123456789' }],
      emails: [{ email: 'ada@example.com', type: 'WORK' }],
      org: { company: 'Engines; Ltd.', title: 'Analyst' },
    },
  ],
  shown: all.schema,
  out: {
    asked: z
      .array(askedContact)
      .min(1)
      .max(MOST_CONTACTS)
      .refine((all) => all.filter(({ photo }) => photo !== undefined).length <= MOST_PHOTOS, {
        error: `must have at most ${MOST_PHOTOS} photos`,
      }),
  },
  in: { bound: (body) => all.bound(body, { units: BODY_UNITS, isCut: false }) ?? [] },
} as const satisfies ContentKind<z.infer<typeof all.schema>>;
