import type { BodyOf } from '../../content/content.ts';
import { mediaOf, videoFile } from '../files.ts';
import { inOneField } from '../oneField.ts';
import type { Understood } from '../understoodKind.ts';
import { toVideo } from './video.ts';

const PTV = 66;

export const videoNote: Understood<BodyOf<'video_note'>> = inOneField({
  field: PTV,
  shape: videoFile,
  context: 17,
  toBody: toVideo,
  files: (read) => mediaOf('video', read),
});
