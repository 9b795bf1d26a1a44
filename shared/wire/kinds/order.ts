import type { BodyOf } from '../../content/content.ts';
import { thousandths } from '../money.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const ORDER = 38;
const states: Readonly<Record<number, BodyOf<'order'>['status']>> = { 1: 'inquiry', 2: 'accepted', 3: 'declined' };

export const order: Understood<BodyOf<'order'>> = inOneField({
  field: ORDER,
  shape: shape({
    id: text(1),
    items: integer(3),
    status: integer(4),
    text: text(6),
    title: text(7),
    seller: text(8),
    token: text(9),
    total: integer(10),
    currency: text(11),
    request: part(13, wireKey),
  }),
  context: 17,
  toBody: ({ id, token, seller, items, total, currency, status, title, text: words }) => ({
    id,
    token,
    seller,
    items,
    total: thousandths(total, currency),
    status: states[status ?? 0],
    title,
    text: words,
  }),
  about: ({ request }) => request,
});
