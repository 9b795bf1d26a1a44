import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { part, shape, text, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const REACTION = 46;

const reactionShape = shape({ key: part(1, wireKey), emoji: text(2) });

export const reaction: Understood<BodyOf<'reaction'>> = inOneField({
  field: REACTION,
  shape: reactionShape,
  toBody,
  about: ({ key }) => key,
});

/** A reaction that was sealed, once it is open: it has the form of the field, and names no message. */
export function readSealedReaction(bytes: Uint8Array): BodyOf<'reaction'> | 'malformed' {
  const read = reactionShape.read(bytes);
  return read === 'malformed' ? read : toBody(read);
}

/** An empty emoji takes the reaction back. */
function toBody({ emoji }: Read<typeof reactionShape>): BodyOf<'reaction'> {
  return emoji === undefined ? {} : { emoji };
}
