import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const STATUS_STICKER_INTERACTION = 110;
const REACTION = 1;

export const statusSticker: Understood<BodyOf<'status_sticker'>> = inOneField({
  field: STATUS_STICKER_INTERACTION,
  shape: shape({ key: part(1, wireKey), sticker: text(2), type: integer(3) }),
  toBody: ({ sticker, type }) => ({ sticker, reaction: type === REACTION ? true : undefined }),
  about: ({ key }) => key,
});
