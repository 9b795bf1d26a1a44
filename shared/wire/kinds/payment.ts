import type { BodyOf } from '../../content/content.ts';
import { withoutDevice } from '../../kernel/jid.ts';
import { fileOf, mediaOf, type FileRead } from '../files.ts';
import { innerMessage, innerText } from '../innerText.ts';
import { toMoment } from '../moment.ts';
import { moneyShape, thousandths } from '../money.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { bytes, integer, part, parts, shape, text, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

type Body = BodyOf<'payment'>;

const about = shape({ key: part(1, wireKey) });
const sent = shape({ note: part(2, innerMessage), request: part(3, wireKey), data: text(5) });
const requested = shape({
  currency: text(1),
  thousandths: integer(2),
  from: text(3),
  note: part(4, innerMessage),
  expiresAt: integer(5),
  amount: part(6, moneyShape),
});
const invited = shape({ service: integer(1), expiresAt: integer(2) });
const services: Readonly<Record<number, Body['service']>> = { 1: 'fbpay', 2: 'novi', 3: 'upi', 4: 'pix' };
const reminder = shape({
  id: text(1),
  note: text(3),
  frequency: integer(4),
  status: integer(5),
  payee: text(7),
  payer: text(8),
  amount: part(9, moneyShape),
});
const frequencies: Readonly<Record<number, Body['frequency']>> = {
  1: 'weekly',
  2: 'bi_weekly',
  3: 'monthly',
  4: 'quarterly',
};
const reminderStates: Readonly<Record<number, Body['status']>> = {
  1: 'active',
  2: 'cancelled_by_creator',
  3: 'stopped_by_receiver',
  4: 'expired',
  5: 'paid',
};
const share = shape({ id: text(1), amount: part(2, moneyShape), status: integer(3) });
const split = shape({
  id: text(1),
  amount: part(2, moneyShape),
  note: text(3),
  to: text(4),
  participants: parts(5, share),
});
const PAID = 1;
const invoice = shape({
  note: text(1),
  token: text(2),
  type: integer(3),
  mimeType: text(4),
  key: bytes(5),
  keyAt: integer(6),
  sha256: bytes(7),
  sealedSha256: bytes(8),
  path: text(9),
});
const PDF = 1;

const address = (jid: string | undefined): string | undefined => (jid === undefined ? undefined : withoutDevice(jid));

export const payment: Understood<Body> = inFields<Body>([
  fieldOf({
    field: 16,
    shape: sent,
    toBody: ({ note, data }): Body => ({ kind: 'sent', note: innerText(note), transaction_data: data }),
    about: ({ request }) => request,
  }),
  fieldOf({ field: 22, shape: requested, toBody: fromRequest }),
  fieldOf({ field: 23, shape: about, toBody: (): Body => ({ kind: 'declined' }), about: ({ key }) => key }),
  fieldOf({ field: 24, shape: about, toBody: (): Body => ({ kind: 'cancelled' }), about: ({ key }) => key }),
  fieldOf({
    field: 41,
    shape: invoice,
    toBody: ({ note, token, ...file }): Body => ({
      kind: 'invoice',
      note,
      token,
      file: fileOf(file satisfies FileRead),
    }),
    files: (read) => mediaOf(read.type === PDF ? 'document' : 'image', read, 'file'),
  }),
  fieldOf({
    field: 44,
    shape: invited,
    toBody: ({ service, expiresAt }): Body => ({
      kind: 'invited',
      service: services[service ?? 0],
      expires_at: toMoment(expiresAt),
    }),
  }),
  fieldOf({ field: 124, shape: reminder, toBody: fromReminder }),
  fieldOf({ field: 125, shape: split, context: 17, toBody: fromSplit }),
  fieldOf({
    field: 128,
    shape: shape({ id: text(1), participant: text(2) }),
    toBody: ({ id, participant }): Body => ({
      kind: 'split_update',
      id,
      participants: participant === undefined ? undefined : [{ id: withoutDevice(participant) }],
    }),
  }),
]);

function fromRequest({ amount, note, from, expiresAt, ...old }: Read<typeof requested>): Body {
  return {
    kind: 'requested',
    amount: amount ?? thousandths(old.thousandths, old.currency),
    from: address(from),
    expires_at: toMoment(expiresAt),
    note: innerText(note),
  };
}

function fromReminder({ id, note, frequency, status, payee, payer, amount }: Read<typeof reminder>): Body {
  return {
    kind: 'reminder',
    id,
    amount,
    from: address(payer),
    to: address(payee),
    frequency: frequencies[frequency ?? 0],
    status: reminderStates[status ?? 0],
    note,
  };
}

function fromSplit({ id, amount, note, to, participants }: Read<typeof split>): Body {
  return {
    kind: 'split',
    id,
    amount,
    to: address(to),
    note,
    participants: participants?.map((each) => ({
      id: withoutDevice(each.id ?? ''),
      amount: each.amount,
      status: each.status === PAID ? 'paid' : 'pending',
    })),
  };
}
