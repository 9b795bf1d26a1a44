import { always, oneOf, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  reason: always(
    said(
      oneOf(['view_once', 'hosted', 'bot', 'unknown']),
      '`view_once`: it may be opened once, on the phone; `hosted`: WhatsApp keeps it from linked devices of hosted accounts; `bot`: the answer of a bot, sealed for the phone.',
    ),
    'unknown',
  ),
} as const;

export const unavailable = {
  description: 'Somebody wrote something that WhatsApp gives to no linked device: the phone shows it.',
  example: { reason: 'view_once' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
