import { bytes, integer, part, readField, shape, type Read } from './shape.ts';
import { wireKey } from './wireKey.ts';

/** The field of `Message` that stands beside what was written: `messageContextInfo`. */
export const MESSAGE_INFO = 35;

const association = shape({ type: integer(1), parent: part(2, wireKey), index: integer(3) });
const messageInfo = shape({ secret: bytes(3), addOnSeconds: integer(5), association: part(10, association) });

/** Beside a message: its secret, how long what it adds lasts, and the message that it is a part of. */
export type MessageInfo = Read<typeof messageInfo>;

/** The length of a secret in bytes; one of another length is none. */
const SECRET_BYTES = 32;

/**
 * What stands beside a message; what wrappers around it say counts where it says nothing itself. Nonsense says nothing: the
 * message beside it is shown all the same.
 */
export function readMessageInfo(found: readonly Uint8Array[] | undefined, outer: MessageInfo): MessageInfo {
  if (found === undefined) return outer;
  const read = readField(messageInfo, found);
  if (read === 'malformed') return outer;
  const { secret, ...others } = read;
  return { ...outer, ...others, ...(secret?.length === SECRET_BYTES ? { secret } : {}) };
}
