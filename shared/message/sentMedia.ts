import { sentFileOf } from '../media/sentFile.ts';
import type { ShownMedia } from '../media/media.ts';
import { isSent, type SentMessage } from './message.ts';

/**
 * The file of a message that is sent, as it is shown: on its way, or what its readers got, which may be another file than the tenant's, made
 * of it for their phones. Nothing where the message is none.
 */
export function toSentMediaView(message: Pick<SentMessage, 'content' | 'state' | 'sentFile' | 'error'>): {
  readonly media?: ShownMedia[];
} {
  const { content, state, sentFile, error } = message;
  const named = sentFileOf(content)?.named;
  if (named?.id === undefined) return {};
  const { mimeType, seconds, ...facts } = sentFile ?? {};
  return {
    media: [
      {
        id: named.id,
        type: content.type,
        state: isSent(state) ? 'ready' : error?.code.startsWith('file_') === true ? 'failed' : 'pending',
        ...(mimeType === undefined ? {} : { mime_type: mimeType }),
        ...facts,
        ...(seconds === undefined ? {} : { duration: seconds }),
      },
    ],
  };
}
