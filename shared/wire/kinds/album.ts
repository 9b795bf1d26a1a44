import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, shape } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const ALBUM = 83;

export const album: Understood<BodyOf<'album'>> = inOneField({
  field: ALBUM,
  shape: shape({ images: integer(2), videos: integer(3) }),
  context: 17,
  toBody: ({ images = 0, videos = 0 }) => ({ images, videos }),
});
