import type { MediaFile } from '../content/mediaFile.ts';
import type { MessageInfo } from './messageInfo.ts';
import { readField, type Shape } from './shape.ts';
import type { Understood } from './understoodKind.ts';
import { toOriginal, type WireKey } from './wireKey.ts';

/** The parts of a kind that comes in one field, all of them made of what its shape reads. */
interface OneField<Value, Body> {
  readonly field: number;
  readonly shape: Shape<Value>;
  /** Makes the body; `nothing` where there is nothing to show. @param info what stands beside the message */
  readonly toBody: (read: Value, info: MessageInfo) => Body | 'nothing';
  /** The number of the context within the field. */
  readonly context?: number;
  /** The key of the message that it is about. */
  readonly about?: (read: Value) => WireKey | undefined;
  readonly files?: (read: Value) => readonly MediaFile[];
}

/** The way in which a kind is understood that comes in one field. */
export function inOneField<Value, Body>(kind: OneField<Value, Body>): Understood<Body> {
  return inFields([fieldOf(kind)]);
}

/** The same for a kind that comes in one of several fields; the first that is there counts. */
export function inFields<Body>(kinds: readonly AnyField<Body>[]): Understood<Body> {
  const contexts = kinds.flatMap(({ field, context }) => (context === undefined ? [] : [[field, context] as const]));
  const presentIn = (parts: { readonly has: (field: number) => boolean }) =>
    kinds.find(({ field }) => parts.has(field));
  return {
    fields: kinds.map(({ field }) => field),
    ...(contexts.length === 0 ? {} : { context: Object.fromEntries(contexts) }),
    fromWire: (parts, info) => {
      const kind = presentIn(parts);
      if (kind === undefined) return 'nothing';
      const read = readField(kind.shape, parts.get(kind.field));
      return read === 'malformed' ? read : kind.toBody(read, info);
    },
    original: (parts) => {
      const kind = presentIn(parts);
      if (kind?.about === undefined) return undefined;
      const read = readField(kind.shape, parts.get(kind.field));
      return read === 'malformed' ? undefined : toOriginal(kind.about(read));
    },
    files: (parts) => {
      const kind = presentIn(parts);
      if (kind?.files === undefined) return [];
      const read = readField(kind.shape, parts.get(kind.field));
      return read === 'malformed' ? [] : kind.files(read);
    },
  };
}

/** One of several fields, whatever its shape reads. */
export type AnyField<Body> = OneField<unknown, Body>;

/** A field of several, with its shape checked against what is made of it. */
export function fieldOf<Value, Body>(kind: OneField<Value, Body>): AnyField<Body> {
  return kind as unknown as AnyField<Body>;
}
