import { always, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { action, footer, header, optionId, textBody } from '../interactiveFields.ts';

const chosen = { id: always(optionId, ''), title: always(word(), '') } as const;
const fields = {
  type: always(
    said(
      word(64),
      'An offer: `button`, `list`, `product_list`, `cta_url`, `carousel`, `native_flow`, `shop`, `collection`. A choice: `button_reply`, `list_reply`, `nfm_reply`.',
    ),
    'button',
  ),
  button_reply: record(chosen),
  list_reply: record({ ...chosen, description: word() }),
  nfm_reply: record({
    name: word(),
    body: word(),
    response_json: said(prose(32_768), 'The answer as JSON, as WhatsApp brings it.'),
  }),
  header,
  body: textBody,
  footer,
  action,
} as const;

export const interactive = {
  description: 'Buttons, a list or a carousel with what can be chosen, or what somebody chose of one.',
  cloud: true,
  example: { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
