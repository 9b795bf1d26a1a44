import { filesOf, type Media } from '../../shared/media/media.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { Message } from '../../shared/message/message.ts';

/** The rows of the files of some messages, by their ids. No call is made where none has a file. */
export async function findFilesOf(
  media: Pick<MediaStore, 'findAll'>,
  messages: readonly Message[],
): Promise<ReadonlyMap<string, Media>> {
  const ids = messages.flatMap((message) =>
    message.direction === 'out' ? [] : filesOf(message).map(({ mediaId }) => mediaId),
  );
  const found = ids.length === 0 ? [] : await media.findAll(ids);
  return new Map(found.map((one) => [one.mediaId, one]));
}
