import { always, oneOf, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { toPollParts } from '../interactiveFallback.ts';
import { action, footer, header, optionId, textBody } from '../interactiveFields.ts';
import {
  interactiveOrChoice,
  isChoice,
  type InteractiveChoice,
  type InteractiveRequest,
} from '../interactiveRequest.ts';
import { pollLimits } from './poll.ts';

const chosen = { id: always(optionId, ''), title: always(word(), '') } as const;
const fields = {
  type: always(
    said(
      word(64),
      'An offer: `button`, `list`, `product_list`, `cta_url`, `carousel`, `native_flow`, `shop`, `collection`. A choice: `button_reply`, `list_reply`, `nfm_reply`.',
    ),
    'button',
  ),
  message_id: said(word(), 'Of a choice that was made with a text or a vote: the message with the options.'),
  button_reply: record(chosen),
  list_reply: record({ ...chosen, description: word() }),
  text: said(record({ body: always(prose(), '') }), 'Of a choice that was made with a text: what was written.'),
  nfm_reply: record({
    name: word(),
    body: word(),
    response_json: said(prose(32_768), 'The answer as JSON, as WhatsApp brings it.'),
  }),
  header,
  body: textBody,
  footer,
  action,
  fallback: said(
    oneOf(['text', 'poll']),
    'As what it was sent, since WhatsApp shows none of them from a linked device.',
  ),
} as const;

const asked = interactiveOrChoice.check(({ value, issues }) => {
  for (const message of problemsOf(value)) issues.push({ code: 'custom', path: ['fallback'], message, input: value });
});

export const interactive = {
  description:
    'Buttons, a list or a carousel with what can be chosen, or what somebody chose of one. WhatsApp shows no buttons from a linked device: what is sent has `fallback`, and goes as numbered text or as a poll. A choice is sent as `button_reply` or `list_reply`, with the message that it answers in `context`.',
  cloud: true,
  example: { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } },
  ...bodyShape(fields),
  out: {
    asked,
    example: {
      type: 'button',
      body: { text: 'Shall we deliver today?' },
      action: {
        buttons: [
          { type: 'reply', reply: { id: 'yes', title: 'Yes' } },
          { type: 'reply', reply: { id: 'no', title: 'No' } },
        ],
      },
      fallback: 'text',
    },
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;

/** The reasons why a message cannot become a poll. */
function problemsOf(request: InteractiveRequest | InteractiveChoice): readonly string[] {
  if (isChoice(request) || request.fallback !== 'poll') return [];
  const { name, options } = toPollParts(request);
  const problems: string[] = [];
  if (name.length > pollLimits.questionCharacters) {
    problems.push(
      `cannot be poll: the body has more than ${pollLimits.questionCharacters} characters. Send it as text`,
    );
  }
  if (options.length < pollLimits.fewestOptions)
    problems.push('cannot be poll: one option is no poll. Send it as text');
  if (new Set(options).size < options.length) problems.push('cannot be poll: two titles are the same. Send it as text');
  return problems;
}
