import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const CONDITIONAL_REVEAL = 120;

export const scheduled: Understood<BodyOf<'scheduled'>> = inOneField({
  field: CONDITIONAL_REVEAL,
  shape: shape({ keyId: text(4) }),
  toBody: ({ keyId }) => ({ key_id: keyId }),
});
