import type { BodyOf } from '../../content/content.ts';
import { innerMessage, innerText } from '../innerText.ts';
import { inOneField } from '../oneField.ts';
import { part, shape } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const COMMENT = 77;

export const comment: Understood<BodyOf<'comment'>> = inOneField({
  field: COMMENT,
  shape: shape({ message: part(1, innerMessage), key: part(2, wireKey) }),
  toBody: ({ message }) => ({ text: innerText(message) ?? '' }),
  about: ({ key }) => key,
});
