import type { BroughtFile } from '../../shared/media/broughtFile.ts';
import { filesOf, type Media } from '../../shared/media/media.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import { sentFileOf } from '../../shared/media/sentFile.ts';
import { parseId, type MediaId } from '../../shared/kernel/id.ts';
import type { Message } from '../../shared/message/message.ts';

/** The rows of files by their ids, as far as they are known. */
export type KnownMedia = ReadonlyMap<string, Media | BroughtFile>;

/**
 * The rows of the files of some messages. Of what was sent, only a file that could not be fetched is looked at: all else stands on the
 * message. No call is made where none has a file.
 */
export async function findFilesOf(
  media: Pick<MediaStore, 'findAll'>,
  messages: readonly Message[],
): Promise<KnownMedia> {
  const ids = messages.flatMap(idsOf);
  const found = ids.length === 0 ? [] : await media.findAll([...new Set(ids)]);
  return new Map(found.map((one) => [one.mediaId, one]));
}

function idsOf(message: Message): readonly MediaId[] {
  if (message.direction !== 'out') return filesOf(message).map(({ mediaId }) => mediaId);
  if (message.error?.code !== 'file_not_fetched') return [];
  const mediaId = parseId('med', sentFileOf(message.content)?.named.id ?? '');
  return mediaId === undefined ? [] : [mediaId];
}
