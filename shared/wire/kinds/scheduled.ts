import type { BodyOf } from '../../content/content.ts';
import { PROTOCOL } from '../messageFields.ts';
import { integer, part, readField, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { toOriginal, wireKey } from '../wireKey.ts';

const CONDITIONAL_REVEAL = 120;
const sealed = shape({ keyId: text(4) });
/** The type of a `protocolMessage` by which such a message is called off; all other types are none of this kind. */
const MESSAGE_UNSCHEDULE = 32;
const typed = shape({ key: part(1, wireKey), type: integer(2) });

export const scheduled = {
  fields: [CONDITIONAL_REVEAL, PROTOCOL],
  fromWire: (parts) => {
    const found = parts.get(CONDITIONAL_REVEAL);
    if (found === undefined) return readUnschedule(parts.get(PROTOCOL)) === undefined ? 'nothing' : { canceled: true };
    const read = readField(sealed, found);
    return read === 'malformed' ? read : { key_id: read.keyId };
  },
  original: (parts) =>
    parts.has(CONDITIONAL_REVEAL) ? undefined : toOriginal(readUnschedule(parts.get(PROTOCOL))?.key),
} as const satisfies Understood<BodyOf<'scheduled'>>;

function readUnschedule(found: readonly Uint8Array[] | undefined) {
  if (found === undefined) return undefined;
  const read = readField(typed, found);
  return read !== 'malformed' && read.type === MESSAGE_UNSCHEDULE ? read : undefined;
}
