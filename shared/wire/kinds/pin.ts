import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const PIN_IN_CHAT = 63;
const PINNED = 1;
const UNPINNED = 2;
const DAY_SECONDS = 86_400;

export const pin: Understood<BodyOf<'pin'>> = inOneField({
  field: PIN_IN_CHAT,
  shape: shape({ key: part(1, wireKey), type: integer(2) }),
  toBody: ({ type }, { addOnSeconds = 0 }) => {
    if (type === UNPINNED) return { type: 'unpin' };
    if (type !== PINNED) return 'nothing';
    return { type: 'pin', ...(addOnSeconds === 0 ? {} : { expiration_days: Math.ceil(addOnSeconds / DAY_SECONDS) }) };
  },
  about: ({ key }) => key,
});
