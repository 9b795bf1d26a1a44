import type { SentMessage } from '../../shared/message/message.ts';
import type { SendErrorCode } from '../../shared/message/sendError.ts';
import type { SendingSocket, SendOutcome, SendRequest } from '../socket/port/connectionSocket.ts';
import type { FileLook, MessageFiles } from './messageFiles.ts';

/** The outcome of a send, and what its file may add to that. */
export type OutcomeWithFile =
  | Exclude<SendOutcome, { readonly outcome: 'file_missing' }>
  /** The file is not at WhatsApp yet: nothing was sent. */
  | { readonly outcome: 'file_waits' }
  /** The file cannot be sent: nothing was. */
  | { readonly outcome: 'file_failed'; readonly code: SendErrorCode };

/**
 * Sends a message with its file, if it has one. A message that was tried before is kept as it left then, and needs no file: it is sent from
 * there, whatever has become of that.
 */
export async function sendWithFile(
  { files }: { readonly files: Pick<MessageFiles, 'look'> },
  message: SentMessage,
  request: SendRequest,
  socket: SendingSocket,
): Promise<OutcomeWithFile> {
  const look = await files.look(message, socket);
  if (look.file === 'none') return withoutFile(await socket.send(request), look);
  if (look.file === 'photos') return withoutFile(await socket.send({ ...request, photos: look.photos }), look);
  if (look.file === 'ready') return withoutFile(await socket.send({ ...request, file: look.sent }), look);
  return request.triedBefore === true ? withoutFile(await socket.send(request), look) : outcomeOf(look);
}

function withoutFile(outcome: SendOutcome, look: FileLook): OutcomeWithFile {
  return outcome.outcome === 'file_missing' ? outcomeOf(look) : outcome;
}

/** What a look says of a message that did not leave. */
function outcomeOf(look: FileLook): OutcomeWithFile {
  switch (look.file) {
    case 'failed':
      return { outcome: 'file_failed', code: look.code };
    case 'not_looked_up':
      return look.outcome;
    default:
      return { outcome: 'file_waits' };
  }
}
