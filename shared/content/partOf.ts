import { z } from 'zod';
import { boundedName } from '../kernel/boundedName.ts';
import { boundWord, contentBounds, wellFormed } from './contentBounds.ts';

/** The other message that a message is a part of. Its writer says so: whether that is true shows where both are known. */
export interface PartOf {
  readonly kind: string;
  readonly stanzaId: string;
  /** Our id of the other message, where that is known here. */
  readonly messageId?: string | undefined;
}

export const partOfSchema = z
  .object({
    kind: z.string().max(contentBounds.wordUnits).meta({
      description:
        '`album`: one of its pictures or films; `hd`: the same as the other one, in a better quality; `sd`: in a lesser quality, where the better one came first; `motion_photo`: the film of a picture; and what else WhatsApp calls an association.',
    }),
    stanzaId: z.string().max(contentBounds.otherUnits).meta({ description: "WhatsApp's id of the other message." }),
    messageId: z.string().optional().meta({ description: 'Our id of the other message, where it is known here.' }),
  })
  .meta({ description: 'The message that this one is a part of.', example: { kind: 'album', stanzaId: '3EB0C7' } });

export function boundPartOf({ kind, stanzaId }: PartOf): PartOf {
  return { kind: boundWord(kind), stanzaId: boundedName(wellFormed(stanzaId), contentBounds.otherUnits) };
}
