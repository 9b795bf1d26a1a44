import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const STATUS_QUOTED = 109;
const QUESTION_ANSWER = 1;

export const statusQuoted: Understood<BodyOf<'status_quoted'>> = inOneField({
  field: STATUS_QUOTED,
  shape: shape({ type: integer(1), text: text(2), original: part(4, wireKey) }),
  toBody: ({ type, text: words = '' }) => ({
    kind: type === QUESTION_ANSWER ? 'question_answer' : 'unknown',
    text: words,
  }),
  about: ({ original }) => original,
});
