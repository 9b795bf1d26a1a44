import { bytes, integer, part, readField, shape } from './shape.ts';
import { isSealUse, type Sealed, type SealUse } from './sealed.ts';
import type { Level } from './unwrap.ts';
import { toOriginal, wireKey, type Original } from './wireKey.ts';

/** A part of a message that is sealed with the secret of another one, and that other one. */
export interface SealedPart {
  readonly sealed: Sealed;
  readonly original: Original;
}

const POLL_UPDATE = 50;
const ENC_REACTION = 56;
const ENC_COMMENT = 71;
const ENC_EVENT_RESPONSE = 76;
const SECRET_ENCRYPTED = 82;

const encrypted = shape({ payload: bytes(1), iv: bytes(2) });
const pollUpdate = shape({ key: part(1, wireKey), vote: part(2, encrypted), addOption: part(3, encrypted) });
const sealedFor = shape({ key: part(1, wireKey), payload: bytes(2), iv: bytes(3), type: integer(4) });

/** The fields whose whole content is sealed for one use. */
const usesOfFields: Readonly<Record<number, SealUse>> = {
  [ENC_REACTION]: 'reaction',
  [ENC_COMMENT]: 'comment',
  [ENC_EVENT_RESPONSE]: 'event_response',
};
/** The uses of a `secretEncryptedMessage`, by `SecretEncType`. */
const usesOfTypes: Readonly<Record<number, SealUse>> = {
  1: 'event_edit',
  2: 'edit',
  4: 'poll_edit',
  5: 'poll_add_option',
};

/** The sealed part of a message, if it has one whose use is known. Nonsense is none: it is told by the name of its field. */
export function readSealed(parts: Level['parts']): SealedPart | undefined {
  if (parts.has(POLL_UPDATE)) {
    const read = readField(pollUpdate, parts.get(POLL_UPDATE));
    if (read === 'malformed') return undefined;
    const use = read.vote === undefined ? 'poll_add_option' : 'vote';
    return toPart(use, { key: read.key, ...(read.vote ?? read.addOption) });
  }
  for (const [field, use] of Object.entries(usesOfFields)) {
    const read = readSealedField(parts, Number(field));
    if (read !== undefined) return toPart(use, read);
  }
  const read = readSealedField(parts, SECRET_ENCRYPTED);
  const use = usesOfTypes[read?.type ?? 0];
  return read === undefined || use === undefined ? undefined : toPart(use, read);
}

function readSealedField(parts: Level['parts'], field: number) {
  const found = parts.get(field);
  const read = found === undefined ? 'malformed' : readField(sealedFor, found);
  return read === 'malformed' ? undefined : read;
}

type Named = Parameters<typeof toOriginal>[0];

function toPart(
  use: SealUse,
  read: { readonly key?: Named; readonly payload?: Uint8Array; readonly iv?: Uint8Array },
): SealedPart | undefined {
  const original = toOriginal(read.key);
  const { payload, iv } = read;
  if (original === undefined || payload === undefined || iv === undefined || !isSealUse(use)) return undefined;
  return { original, sealed: { use, payload, iv } };
}
