import { exportObjectKey, type ExportFiles, type ExportName } from '../../shared/archive/exportFiles.ts';
import { parseId, type MediaId } from '../../shared/kernel/id.ts';
import { toFileToSend, type FileToSend } from '../../shared/media/fileToSend.ts';
import { filesOf } from '../../shared/media/media.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { ObjectUploads } from '../../shared/media/objectUploads.ts';
import { sentFileOf } from '../../shared/media/sentFile.ts';
import type { Message } from '../../shared/message/message.ts';
import { toLine, type ExportLine } from './exportLine.ts';

export interface CopyDependencies {
  readonly media: Pick<MediaStore, 'findAll'>;
  readonly files: Pick<ExportFiles, 'note'>;
  readonly copies: Pick<ObjectUploads, 'copy'>;
}

/** Files that are copied side by side. */
const SIDE_BY_SIDE = 8;

/** Copies the files of some messages that are here into an export. Returns a line for each, and how many bytes they have. */
export async function copyFiles(
  dependencies: CopyDependencies,
  of: ExportName,
  messages: readonly Message[],
): Promise<{ readonly lines: readonly ExportLine[]; readonly bytes: number }> {
  const wanted = messages.flatMap((message) => idsOf(message).map((mediaId) => ({ message, mediaId })));
  if (wanted.length === 0) return { lines: [], bytes: 0 };
  const rows = await dependencies.media.findAll([...new Set(wanted.map(({ mediaId }) => mediaId))]);
  const ready = rows.map(toFileToSend).filter(({ state, tenantId }) => state === 'ready' && tenantId === of.tenantId);
  const copied = new Map<MediaId, FileToSend>();
  const waiting = [...ready];
  const lane = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (await copyFile(dependencies, of, file)) copied.set(file.mediaId, file);
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, waiting.length) }, lane));
  const lines = wanted.flatMap(({ message: { connectionId, messageId }, mediaId }) => {
    const file = copied.get(mediaId);
    if (file === undefined) return [];
    const { bytes, sha256, mimeType: mime_type, filename } = file;
    return [
      toLine('file', connectionId, { messageId, id: mediaId, path: mediaId, bytes, sha256, mime_type, filename }),
    ];
  });
  return { lines, bytes: [...copied.values()].reduce((sum, { bytes = 0 }) => sum + bytes, 0) };
}

async function copyFile(
  { files, copies }: CopyDependencies,
  of: ExportName,
  { mediaId, objectKey }: FileToSend,
): Promise<boolean> {
  await files.note(of, mediaId);
  return (await copies.copy(objectKey, exportObjectKey(of, mediaId))) === 'copied';
}

function idsOf(message: Message): readonly MediaId[] {
  if (message.direction !== 'out') return filesOf(message).map(({ mediaId }) => mediaId);
  const mediaId = parseId('med', sentFileOf(message.content)?.named.id ?? '');
  return mediaId === undefined ? [] : [mediaId];
}
