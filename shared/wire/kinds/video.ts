import type { BodyOf } from '../../content/content.ts';
import { areaOf, fileOf, mediaOf, videoFile, type VideoRead } from '../files.ts';
import { inOneField } from '../oneField.ts';
import type { Understood } from '../understoodKind.ts';

const VIDEO = 9;

export const video: Understood<BodyOf<'video'>> = inOneField({
  field: VIDEO,
  shape: videoFile,
  context: 17,
  toBody: (read) => ({ ...toVideo(read), gif: read.gif, caption: read.caption }),
  files: (read) => mediaOf('video', read),
});

const AI_GENERATED = 1;

/** What a film and a note have in common. */
export function toVideo(read: VideoRead): BodyOf<'video_note'> {
  const source = read.source === AI_GENERATED ? ('ai_generated' as const) : undefined;
  return { ...fileOf(read), ...areaOf(read), duration: read.seconds, source, view_once: read.viewOnce };
}
