import { FILE_BYTES } from '../../../shared/content/mediaFile.ts';
import type { SentUse } from '../../../shared/media/sentUse.ts';

interface Limit {
  /** The most bytes of a file as it is brought. */
  readonly bytes: number;
  readonly seconds: number;
}

const MIB = 1_024 * 1_024;
const HOUR_SECONDS = 3_600;

/**
 * What a file may be that is sent as something. Documents: the most that WhatsApp sends. All else is opened here, so its bounds are those of the time and the
 * memory that one file is given; each is at least what the Cloud API takes ("Supported media types": images 5 MB, sounds and
 * videos 16 MB, stickers 500 KB). A larger file can be sent as a document.
 */
export const prepareLimits = {
  image: { bytes: 32 * MIB, seconds: 0 },
  sticker: { bytes: 16 * MIB, seconds: 10 },
  sticker_pack: { bytes: 32 * MIB, seconds: 0 },
  video: { bytes: 100 * MIB, seconds: HOUR_SECONDS },
  gif: { bytes: 32 * MIB, seconds: 60 },
  // Phones record no more.
  video_note: { bytes: 100 * MIB, seconds: 60 },
  audio: { bytes: 64 * MIB, seconds: 6 * HOUR_SECONDS },
  // An encoder makes a minute in half a second (two cores, x64), and has 30 s.
  voice: { bytes: 64 * MIB, seconds: HOUR_SECONDS / 2 },
  document: { bytes: FILE_BYTES, seconds: 0 },
} as const satisfies Readonly<Record<SentUse, Limit>>;
