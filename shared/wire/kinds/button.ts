import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const TEMPLATE_BUTTON_REPLY = 29;

export const button: Understood<BodyOf<'button'>> = inOneField({
  field: TEMPLATE_BUTTON_REPLY,
  shape: shape({ payload: text(1), text: text(2), index: integer(4), card: integer(5) }),
  context: 3,
  toBody: ({ payload = '', text: words = '', ...places }) => ({ payload, text: words, ...places }),
});
