import { z } from 'zod';
import { contactSchema, toContact } from './party.ts';

/** A message as others name it in the API and in events. */
export const originalSchema = z
  .object({
    messageId: z.string().optional().meta({ description: 'Its id here; absent where it is not known here.' }),
    stanzaId: z.string().meta({ description: "WhatsApp's id of it." }),
    sender: contactSchema.optional().meta({ description: 'Who wrote it, where that is known.' }),
  })
  .meta({ id: 'OriginalMessage', description: 'The message that this one is about.' });
export type ShownOriginal = z.infer<typeof originalSchema>;

export function toShownOriginal(
  stanzaId: string,
  messageId: string | undefined,
  ...senders: readonly (string | undefined)[]
): ShownOriginal {
  const known = senders.filter((sender) => sender !== undefined);
  return {
    ...(messageId === undefined ? {} : { messageId }),
    stanzaId,
    ...(known.length === 0 ? {} : { sender: toContact(...known) }),
  };
}
