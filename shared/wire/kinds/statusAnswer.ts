import type { BodyOf } from '../../content/content.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

type Body = BodyOf<'status_answer'>;

const STATUS_QUESTION_ANSWER = 105;
const QUESTION_RESPONSE = 107;

export const statusAnswer: Understood<Body> = inFields<Body>(
  [STATUS_QUESTION_ANSWER, QUESTION_RESPONSE].map((field) =>
    fieldOf({
      field,
      shape: shape({ key: part(1, wireKey), text: text(2) }),
      toBody: ({ text: words = '' }): Body => ({ text: words }),
      about: ({ key }) => key,
    }),
  ),
);
