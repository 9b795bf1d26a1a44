import type { BodyOf } from '../../content/content.ts';
import { fileOf, imageFile, mediaOf } from '../files.ts';
import { thousandths } from '../money.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const PRODUCT = 30;
const snapshot = shape({
  image: part(1, imageFile),
  id: text(2),
  title: text(3),
  description: text(4),
  currency: text(5),
  price: integer(6),
  retailerId: text(7),
  url: text(8),
  images: integer(9),
  salePrice: integer(12),
});
const catalog = shape({ image: part(1, imageFile), title: text(2), description: text(3) });

export const product: Understood<BodyOf<'product'>> = inOneField({
  field: PRODUCT,
  shape: shape({
    product: part(1, snapshot),
    seller: text(2),
    catalog: part(4, catalog),
    body: text(5),
    footer: text(6),
  }),
  context: 17,
  toBody: ({ product: shown = {}, seller, catalog: offered, body, footer }) => ({
    id: shown.id,
    retailer_id: shown.retailerId,
    seller,
    title: shown.title,
    price: thousandths(shown.price, shown.currency),
    sale_price: thousandths(shown.salePrice, shown.currency),
    url: shown.url,
    images: shown.images,
    image: shown.image && fileOf(shown.image),
    catalog: offered && { title: offered.title, description: offered.description },
    body,
    footer,
    description: shown.description,
  }),
  files: (read) => [
    ...mediaOf('image', read.product?.image, 'image'),
    ...mediaOf('image', read.catalog?.image, 'catalog'),
  ],
});
