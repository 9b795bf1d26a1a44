import type { AnyContentKind } from './contentKind.ts';
import { album } from './kinds/album.ts';
import { audio } from './kinds/audio.ts';
import { button } from './kinds/button.ts';
import { document } from './kinds/document.ts';
import { image } from './kinds/image.ts';
import { interactive } from './kinds/interactive.ts';
import { liveLocation } from './kinds/liveLocation.ts';
import { sticker } from './kinds/sticker.ts';
import { stickerPack } from './kinds/stickerPack.ts';
import { template } from './kinds/template.ts';
import { text } from './kinds/text.ts';
import { unavailable } from './kinds/unavailable.ts';
import { unsupported } from './kinds/unsupported.ts';
import { video } from './kinds/video.ts';
import { videoNote } from './kinds/videoNote.ts';

/**
 * Every kind of content. A new one is a file in `kinds` and a line here, a file and a line in `shared/wire` if it is received,
 * and in `worker/socket/wire` if it is sent: request, stored row, view, events and document follow from it.
 */
export const contentKinds = {
  text,
  image,
  video,
  video_note: videoNote,
  audio,
  document,
  sticker,
  sticker_pack: stickerPack,
  album,
  live_location: liveLocation,
  interactive,
  button,
  template,
  unavailable,
  unsupported,
} as const satisfies Readonly<Record<string, AnyContentKind>>;
