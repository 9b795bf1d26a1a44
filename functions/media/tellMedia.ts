import { mediaFactKeyOf } from '../../shared/event/facts/mediaFact.ts';
import { publishFact, type FactQueue } from '../../shared/event/publishFact.ts';
import { toShownMedia, type Media } from '../../shared/media/media.ts';

/** Tells what has become of a file. It comes behind its message: a file is asked for when that is told. */
export async function tellMedia(queue: FactQueue, media: Media): Promise<void> {
  const { messageId, mediaId, createdAtMs, endedAtMs = createdAtMs } = media;
  await publishFact(queue, media, {
    kind: 'media',
    key: mediaFactKeyOf(media),
    atMs: endedAtMs,
    messageId,
    mediaId,
    media: toShownMedia(media),
  });
}
