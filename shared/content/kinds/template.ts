import { list, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { action, footer, header, textBody } from '../interactiveFields.ts';

const fields = {
  id: word(),
  namespace: word(),
  name: word(),
  parameters: said(list(word(), 32), 'What was put into a template whose words did not come along.'),
  header,
  body: textBody,
  footer,
  action,
} as const;

export const template = {
  description: 'A message of a business, made of a template, with its buttons.',
  cloud: true,
  example: {
    id: '594425479261596',
    body: { text: 'Order 2041 has left our house.' },
    footer: { text: 'Acme' },
    action: { buttons: [{ type: 'reply', reply: { id: 'track-2041', title: 'Track the order' } }] },
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
