import { always, list, moment, oneOf, prose, said, word } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { fileFields } from '../fileFields.ts';
import { money } from '../money.ts';

const kinds = [
  'sent',
  'requested',
  'declined',
  'cancelled',
  'invited',
  'reminder',
  'split',
  'split_update',
  'invoice',
] as const;
const fields = {
  kind: always(oneOf(kinds), 'sent'),
  ...aboutFields,
  id: said(word(), 'Of a reminder or a split: its id.'),
  amount: money,
  from: said(word(), 'The address of whoever is to pay.'),
  to: said(word(), 'The address of whoever is to be paid.'),
  service: oneOf(['fbpay', 'novi', 'upi', 'pix']),
  frequency: oneOf(['weekly', 'bi_weekly', 'monthly', 'quarterly']),
  status: oneOf(['active', 'cancelled_by_creator', 'stopped_by_receiver', 'expired', 'paid']),
  expires_at: moment(),
  token: word(),
  file: record(fileFields),
  participants: list(record({ id: always(word(), ''), amount: money, status: oneOf(['pending', 'paid']) }), 256),
  note: prose(16_384),
  transaction_data: said(prose(8_192), 'What the payment service wrote, as it stands there.'),
} as const;

export const payment = {
  description:
    'Something about money: said by whoever wrote it, checked by nobody, and nothing is ever paid or answered because of it.',
  example: {
    kind: 'requested',
    amount: { value: 12_500, offset: 1_000, currency: 'BRL' },
    note: 'For dinner',
    expires_at: '2026-12-24T18:00:00.000Z',
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
