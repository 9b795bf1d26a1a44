import type { BodyOf } from '../../content/content.ts';
import { present } from '../present.ts';
import { flag, integer, part, parts as partsOf, readField, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { toMoment } from '../moment.ts';

/**
 * The versions of a poll: many answers, announcement groups, one answer, with pictures, and with an end or hidden names.
 * Version 4 is a wrapper around one of the others.
 */
const FIELDS = [49, 60, 64, 111, 119];

const option = shape({ name: text(1) });
const pollShape = shape({
  name: text(2),
  options: partsOf(3, option),
  selectable: integer(4),
  correct: part(8, option),
  /** Unlike other times it is in milliseconds. */
  endsAtMs: integer(9),
  hideNames: flag(10),
  allowNew: flag(11),
});

export const poll = {
  fields: FIELDS,
  context: 5,
  fromWire: (parts) => {
    const read = readField(
      pollShape,
      FIELDS.flatMap((field) => parts.get(field) ?? []),
    );
    if (read === 'malformed') return read;
    const { name = '', options = [], selectable = 0 } = read;
    if (name === '' && options.length === 0) return 'nothing';
    return present({
      name,
      options: options.map(({ name: words = '' }) => words),
      selectable_count: selectable,
      correct_option: read.correct?.name,
      ends_at: toMoment(read.endsAtMs),
      hide_names: read.hideNames,
      allow_new_options: read.allowNew,
    });
  },
} as const satisfies Understood<BodyOf<'poll'>>;
