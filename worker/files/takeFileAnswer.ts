import type { AskedFiles } from '../../shared/media/askedFiles.ts';
import { askForFiles, type MediaQueue } from '../../shared/media/mediaJob.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { FileAnswer, WaitingFile } from '../socket/port/fileRequest.ts';

export interface FileAnswerDependencies extends MediaQueue {
  readonly media: Pick<MediaStore, 'find' | 'noteAnswer'>;
  readonly askedFiles: Pick<AskedFiles, 'find' | 'forget'>;
}

/** The files of a message that the phone was asked for and that still wait. */
export async function findWaitingFiles(
  { media: store, askedFiles }: Pick<FileAnswerDependencies, 'media' | 'askedFiles'>,
  { connectionId }: OwnedConnection,
  stanzaId: string,
): Promise<readonly WaitingFile[]> {
  const waiting: WaitingFile[] = [];
  for (const { mediaId, round } of await askedFiles.find(connectionId, stanzaId)) {
    const media = await store.find(mediaId);
    const key = media?.file.key;
    if (media?.state === 'pending' && media.round === round && key !== undefined) {
      waiting.push({ mediaId, round, stanzaId, key });
    } else {
      await askedFiles.forget(connectionId, stanzaId, mediaId);
    }
  }
  return waiting;
}

/**
 * Takes what the phone says of a file: first on its row, then as a job for the media function, which fetches it from its new place or gives it up. When
 * this process dies in between, or the answer comes twice, the row says the same, and the job comes by its pause.
 */
export async function takeFileAnswer(
  { media: store, askedFiles, ...queue }: FileAnswerDependencies,
  { tenantId, connectionId }: OwnedConnection,
  { mediaId, round, stanzaId }: WaitingFile,
  answer: FileAnswer,
): Promise<void> {
  // What nobody can have sealed is no answer: the phone is asked again.
  if (answer.answer === 'unreadable') return;
  const isNoted = await store.noteAnswer(
    { mediaId, round },
    answer.answer,
    answer.answer === 'given' ? answer.path : undefined,
  );
  if (!isNoted || answer.answer === 'failed') return;
  await askForFiles(queue, [{ version: 1, tenantId, mediaId }]);
  await askedFiles.forget(connectionId, stanzaId, mediaId);
}
