import { parseId } from '../kernel/id.ts';
import type { BroughtFile } from '../media/broughtFile.ts';
import type { Media, ShownMedia } from '../media/media.ts';
import { mediaFaults } from '../media/mediaFaults.ts';
import { sentFileOf } from '../media/sentFile.ts';
import { uploadFaults, type UploadFault } from '../media/uploadFaults.ts';
import { isSent, type SentMessage } from './message.ts';

/**
 * The file of a message that is sent, as it is shown: on its way, or what its readers got, which may be another file than the tenant's, made
 * of it for their phones. Nothing where the message is none.
 * @param known rows of files; that of one that could not be fetched says why
 */
export function toSentMediaView(
  { content, state, sentFile, error }: Pick<SentMessage, 'content' | 'state' | 'sentFile' | 'error'>,
  known?: ReadonlyMap<string, Media | BroughtFile>,
): { readonly media?: ShownMedia[] } {
  const mediaId = parseId('med', sentFileOf(content)?.named.id ?? '');
  if (mediaId === undefined) return {};
  const { mimeType, seconds, ...facts } = sentFile ?? {};
  const code = error?.code.startsWith('file_') === true ? error.code : undefined;
  const why = code === undefined ? undefined : errorOf(code, known?.get(mediaId));
  return {
    media: [
      {
        id: mediaId,
        type: content.type,
        state: isSent(state) ? 'ready' : code === undefined ? 'pending' : 'failed',
        ...(why === undefined ? {} : { error: why }),
        ...(mimeType === undefined ? {} : { mime_type: mimeType }),
        ...facts,
        ...(seconds === undefined ? {} : { duration: seconds }),
      },
    ],
  };
}

/** Why the file of a message could not be sent: what the message failed with, or what its row says where it was never here. */
function errorOf(code: string, row: Media | BroughtFile | undefined): ShownMedia['error'] {
  const fault = code.slice('file_'.length);
  if (Object.hasOwn(uploadFaults, fault)) {
    return { code: fault as UploadFault, sentence: uploadFaults[fault as UploadFault] };
  }
  // A link that has been fetched anew since is no longer a failure.
  return row?.fault === undefined ? undefined : { code: row.fault, sentence: mediaFaults[row.fault].sentence };
}
