import type { BodyOf } from '../../content/content.ts';
import { audioFile, fileOf, mediaOf, toBase64 } from '../files.ts';
import { inOneField } from '../oneField.ts';
import type { Understood } from '../understoodKind.ts';

const AUDIO = 8;

export const audio: Understood<BodyOf<'audio'>> = inOneField({
  field: AUDIO,
  shape: audioFile,
  context: 17,
  toBody: (read) => ({
    ...fileOf(read),
    duration: read.seconds,
    voice: read.voice,
    waveform: toBase64(read.waveform),
    view_once: read.viewOnce,
  }),
  files: (read) => mediaOf('audio', read),
});
