import { count, said, word } from './bodyField.ts';
import { record } from './bodyShape.ts';

/** An amount as the Cloud API writes it: `value` divided by `offset`, in a currency. */
export const money = record({
  value: said(count(), 'The amount times `offset`.'),
  offset: count(),
  currency: said(word(64), 'As in ISO 4217.'),
});
