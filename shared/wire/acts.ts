import { bytes, integer, part, readField, shape } from './shape.ts';
import { toOriginal, wireKey, type Original } from './wireKey.ts';

/**
 * What a message does to another one that is there: it takes its place, or takes it back. Both come as a
 * `protocolMessage`; an edit of today comes sealed (`sealedFields.ts`) and has the same form once it is open.
 */
export type Act =
  | { readonly act: 'edit'; readonly original: Original; readonly message: Uint8Array }
  | { readonly act: 'delete'; readonly original: Original };

const protocolMessage = shape({ key: part(1, wireKey), type: integer(2), edited: bytes(14) });
const REVOKE = 0;
const EDIT = 14;

/** The act that a `protocolMessage` is; undefined for all others, and for one that does not say what it is about. */
export function readAct(found: readonly Uint8Array[] | undefined): Act | undefined {
  if (found === undefined) return undefined;
  const read = readField(protocolMessage, found);
  if (read === 'malformed') return undefined;
  const original = toOriginal(read.key);
  if (original === undefined) return undefined;
  // Proto3 leaves a zero out in places; a revoke is written with its type, as in every client that was seen.
  if (read.type === REVOKE) return { act: 'delete', original };
  if (read.type === EDIT && read.edited !== undefined) return { act: 'edit', original, message: read.edited };
  return undefined;
}
