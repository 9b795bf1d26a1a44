import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const KEEP_IN_CHAT = 51;
const KEPT = 1;
const NOT_KEPT = 2;

export const keep: Understood<BodyOf<'keep'>> = inOneField({
  field: KEEP_IN_CHAT,
  shape: shape({ key: part(1, wireKey), type: integer(2) }),
  toBody: ({ type }) => {
    if (type === NOT_KEPT) return { type: 'unkeep' };
    return type === KEPT ? { type: 'keep' } : 'nothing';
  },
  about: ({ key }) => key,
});
