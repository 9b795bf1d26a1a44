import { z } from 'zod';
import { OPTION_ID_UNITS } from './interactiveFields.ts';
import { visibleText } from './visibleText.ts';

/**
 * Buttons, lists and links as the Cloud API's `interactive` object asks for them, with its limits. WhatsApp shows none of
 * them from a linked device, so each is sent as the `fallback` says: `text` numbers the options, `poll` makes a poll of them.
 */
const idOf = (most: number) => z.string().min(1).max(most);
const header = z.strictObject({
  type: z.literal('text', { error: 'must be text: media cannot stand in a text' }),
  text: visibleText(60),
});
const bodyOf = (most: number) => z.strictObject({ text: visibleText(most) });
const footer = z.strictObject({ text: visibleText(60) });
const SHORT_BODY = 1_024;
const LONG_BODY = 4_096;
const common = { header: header.optional(), footer: footer.optional() } as const;

/** The fallbacks of a kind that has options, and of one that has none. */
const either = z.enum(['text', 'poll']).optional();
const textOnly = z.literal('text', { error: 'must be text: there is nothing to choose from' }).optional();

const areDifferent = (all: readonly string[]): boolean => new Set(all).size === all.length;
const DIFFERENT = 'must have ids that are all different';

const button = z.strictObject({
  ...common,
  type: z.literal('button'),
  body: bodyOf(SHORT_BODY),
  action: z.strictObject({
    buttons: z
      .array(
        z.strictObject({ type: z.literal('reply'), reply: z.strictObject({ id: idOf(256), title: visibleText(20) }) }),
      )
      .min(1)
      .max(3)
      .refine((buttons) => areDifferent(buttons.map(({ reply }) => reply.id)), DIFFERENT),
  }),
  fallback: either,
});

const MOST_ROWS = 10;
const section = z.strictObject({
  title: visibleText(24).optional(),
  rows: z
    .array(z.strictObject({ id: idOf(200), title: visibleText(24), description: z.string().max(72).optional() }))
    .min(1),
});
const list = z.strictObject({
  ...common,
  type: z.literal('list'),
  body: bodyOf(LONG_BODY),
  action: z.strictObject({
    button: visibleText(20),
    sections: z
      .array(section)
      .min(1)
      .max(MOST_ROWS)
      .refine(
        (sections) => sections.flatMap(({ rows }) => rows).length <= MOST_ROWS,
        `at most ${MOST_ROWS} rows in all`,
      )
      .refine((sections) => areDifferent(sections.flatMap(({ rows }) => rows.map(({ id }) => id))), DIFFERENT)
      .refine(
        (sections) => sections.length === 1 || sections.every(({ title }) => title !== undefined),
        'must each have a title where there is more than one',
      ),
  }),
  fallback: either,
});

const ctaUrl = z.strictObject({
  ...common,
  type: z.literal('cta_url'),
  body: bodyOf(SHORT_BODY),
  action: z.strictObject({
    name: z.literal('cta_url'),
    parameters: z.strictObject({ display_text: visibleText(20), url: z.url({ protocol: /^https?$/ }).max(2_000) }),
  }),
  fallback: textOnly,
});

const locationRequest = z.strictObject({
  type: z.literal('location_request_message'),
  body: bodyOf(SHORT_BODY),
  action: z.strictObject({ name: z.literal('send_location') }),
  fallback: textOnly,
});

export const interactiveRequest = z.discriminatedUnion('type', [button, list, ctaUrl, locationRequest]);
export type InteractiveRequest = z.infer<typeof interactiveRequest>;

const chosen = z.strictObject({
  id: z.string().min(1).max(OPTION_ID_UNITS),
  title: z.string().max(512).default('').meta({ description: 'May be left out: it is what the message answered has.' }),
});
/** What is chosen of the buttons or the list of another message, which `context` names. */
const buttonReply = z.strictObject({ type: z.literal('button_reply'), button_reply: chosen });
const listReply = z.strictObject({
  type: z.literal('list_reply'),
  list_reply: chosen.extend({ description: z.string().max(512).optional() }),
});
export type InteractiveChoice = z.infer<typeof buttonReply> | z.infer<typeof listReply>;

export const interactiveOrChoice = z.discriminatedUnion('type', [
  ...interactiveRequest.options,
  buttonReply,
  listReply,
]);

export function isChoice(asked: InteractiveRequest | InteractiveChoice): asked is InteractiveChoice {
  return asked.type === 'button_reply' || asked.type === 'list_reply';
}
