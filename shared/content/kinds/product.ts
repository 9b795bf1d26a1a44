import { count, prose, said, wholeText, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { fileFields } from '../fileFields.ts';
import { money } from '../money.ts';

const fields = {
  id: word(),
  retailer_id: said(word(), 'The id that the seller gave it.'),
  seller: said(word(), 'The address of the business.'),
  title: word(),
  price: money,
  sale_price: money,
  url: wholeText(),
  images: count(),
  image: record(fileFields),
  catalog: record({ title: word(), description: prose() }),
  body: prose(),
  footer: prose(),
  description: prose(16_384),
} as const;

export const product = {
  description: 'A product of a catalog.',
  example: {
    id: '7412589630',
    retailer_id: 'hat-1',
    seller: '4915111111111@s.whatsapp.net',
    title: 'Hat',
    price: { value: 24_900, offset: 1_000, currency: 'EUR' },
    images: 2,
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
