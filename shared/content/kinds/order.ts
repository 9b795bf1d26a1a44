import { count, oneOf, prose, said, word } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { money } from '../money.ts';

const fields = {
  ...aboutFields,
  id: word(),
  token: said(word(), 'What WhatsApp asks for with the id by whoever looks the products up.'),
  seller: said(word(), 'The address of the business.'),
  items: said(count(), 'How many things were ordered; which ones is known to WhatsApp alone.'),
  total: money,
  status: oneOf(['inquiry', 'accepted', 'declined']),
  title: word(),
  text: said(prose(16_384), 'What was written to it.'),
} as const;

export const order = {
  description: 'An order from a catalog.',
  cloud: true,
  example: {
    id: '5521690142',
    token: 'AR5kV3example',
    seller: '4915111111111@s.whatsapp.net',
    items: 2,
    total: { value: 49_800, offset: 1_000, currency: 'EUR' },
    status: 'inquiry',
    text: 'By Friday, please',
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
