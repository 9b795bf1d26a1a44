import { z } from 'zod';
import { always, count, holds, list, moment, prose, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import { time } from '../askedTime.ts';
import type { ContentKind } from '../contentKind.ts';
import { visibleText } from '../visibleText.ts';

/** WhatsApp's own limits of a poll. */
export const pollLimits = {
  questionCharacters: 255,
  optionCharacters: 100,
  fewestOptions: 2,
  mostOptions: 12,
} as const;
/** The UTF-16 units of a received question, and of each option. */
const RECEIVED_UNITS = 1_024;
const { questionCharacters, optionCharacters, fewestOptions, mostOptions } = pollLimits;

const fields = {
  selectable_count: said(count(), 'How many options one may choose; 0 for as many as one likes. 1 when left out.'),
  ends_at: said(moment(), 'When nobody may vote any more.'),
  hide_names: said(holds(), 'Nobody but its author sees who chose what.'),
  allow_new_options: said(holds(), 'Others may add options.'),
  correct_option: said(prose(RECEIVED_UNITS), 'Makes it a quiz, which has one right answer: the text of that option.'),
  name: always(said(prose(RECEIVED_UNITS), 'The question.'), ''),
  options: always(list(prose(RECEIVED_UNITS)), []),
} as const;
type Body = BodyOfShape<typeof fields>;

const asked = z
  .strictObject({
    name: visibleText(questionCharacters),
    options: z
      .array(visibleText(optionCharacters))
      .min(fewestOptions)
      .max(mostOptions)
      .refine((options) => new Set(options).size === options.length, 'must all be different'),
    selectable_count: z.number().int().min(0).max(mostOptions).optional(),
    correct_option: z.string().optional(),
    ends_at: time.optional(),
    hide_names: z.literal(true).optional(),
    allow_new_options: z.literal(true).optional(),
  })
  .check(({ value, issues }) => {
    for (const [path, message] of problemsOf(value)) {
      issues.push({ code: 'custom', path: [path], message, input: value });
    }
  });

export const poll = {
  description: 'A poll, or a quiz.',
  example: { name: 'Lunch?', options: ['Noodles', 'Rice', 'Soup'], selectable_count: 1 },
  ...bodyShape(fields),
  out: { asked },
} as const satisfies ContentKind<Body>;

function problemsOf({
  options,
  selectable_count: most = 1,
  correct_option: correct,
}: Body): readonly [string, string][] {
  const problems: [string, string][] = [];
  if (most > options.length) problems.push(['selectable_count', `at most the number of options, ${options.length}`]);
  if (correct === undefined) return problems;
  if (!options.includes(correct)) problems.push(['correct_option', 'must be one of the options']);
  if (most !== 1) problems.push(['selectable_count', 'must be 1 in a quiz']);
  return problems;
}
