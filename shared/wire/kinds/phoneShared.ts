import type { BodyOf } from '../../content/content.ts';
import { PROTOCOL } from '../messageFields.ts';
import { integer, readField, shape } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

/** The type of a `protocolMessage` by which a number is shown; all other types are none of this kind. */
const SHARE_PHONE_NUMBER = 11;
const typed = shape({ type: integer(2) });

export const phoneShared = {
  fields: [PROTOCOL],
  fromWire: (parts) => {
    const read = readField(typed, parts.get(PROTOCOL));
    return read !== 'malformed' && read.type === SHARE_PHONE_NUMBER ? {} : 'nothing';
  },
} as const satisfies Understood<BodyOf<'phone_shared'>>;
