import type { BodyOf } from '../../content/content.ts';
import { areaOf, fileOf, imageFile, mediaOf, type ImageRead } from '../files.ts';
import { inOneField } from '../oneField.ts';
import type { Understood } from '../understoodKind.ts';

const IMAGE = 3;
const sources: Readonly<Record<number, BodyOf<'image'>['source']>> = {
  1: 'ai_generated',
  2: 'ai_modified',
  3: 'rasterized_text',
};

export const image: Understood<BodyOf<'image'>> = inOneField({
  field: IMAGE,
  shape: imageFile,
  context: 17,
  toBody: toImage,
  files: (read) => mediaOf('image', read),
});

function toImage(read: ImageRead): BodyOf<'image'> {
  const { source = 0, viewOnce, caption } = read;
  return { ...fileOf(read), ...areaOf(read), source: sources[source], view_once: viewOnce, caption };
}
