import { always, decimal, list, prose, said, wholeText, word } from './bodyField.ts';
import { BODY_UNITS, record } from './bodyShape.ts';
import { fileFields } from './fileFields.ts';

/** The ids of what can be chosen: programs choose them, and some hold a whole state. */
export const OPTION_ID_UNITS = 1_024;
export const optionId = word(OPTION_ID_UNITS);

/** The parts that buttons, lists and templates have in common, with the names of the Cloud API's `interactive`. */
export const header = record({
  type: always(word(64), 'text'),
  text: prose(),
  subtitle: prose(),
  image: record(fileFields),
  video: record(fileFields),
  document: record({ ...fileFields, filename: word() }),
  location: record({
    latitude: decimal(-90, 90),
    longitude: decimal(-180, 180),
    name: word(),
    address: word(),
  }),
  product: record({ id: word(), retailer_id: word(), title: word() }),
});
export const textBody = record({ text: always(prose(BODY_UNITS), '') });
export const footer = record({ text: always(prose(), '') });

const parameters = record({
  display_text: word(),
  url: wholeText(),
  phone_number: word(),
  code: word(),
  json: said(
    prose(8_192),
    'All that WhatsApp brings for a button of a kind that has no form here, as it stands there.',
  ),
});
const reply = record({ id: always(optionId, ''), title: always(word(), '') });
const button = record({
  type: always(
    said(word(64), '`reply`, `cta_url`, `cta_call`, `copy_code`, or the name that WhatsApp has for it.'),
    'reply',
  ),
  reply,
  parameters,
});
const row = record({ id: always(optionId, ''), title: always(word(), ''), description: word() });
const section = record({
  title: word(),
  rows: list(row),
  product_items: list(record({ product_retailer_id: always(word(), '') })),
});
const buttons = list(button, 32);
const card = record({ header, body: textBody, footer, action: record({ buttons }) });

export const action = record({
  name: word(),
  button: said(word(), 'What stands on the button that opens a list.'),
  parameters,
  buttons,
  sections: list(section, 32),
  cards: list(card, 16),
  id: said(word(), 'Of a shop or a collection: its id.'),
});
