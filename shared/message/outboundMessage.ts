import { z } from 'zod';
import { askedKinds, unionOf, type AskedKind, type OutboundContent } from '../content/content.ts';

/**
 * The body of a request to send: the message object of the WhatsApp Cloud API. `messaging_product` and `recipient_type`
 * are accepted so that a body written for the Cloud API works unchanged.
 */
const envelope = {
  messaging_product: z.literal('whatsapp').optional(),
  recipient_type: z.literal('individual').optional(),
  to: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: 'Phone number in international form, or a WhatsApp address.', example: '+49 151 23456789' }),
} as const;

/** The parts of a request around its content: where the message goes, and how it is sent. */
export type Envelope = z.infer<z.ZodObject<typeof envelope>>;
export type OutboundMessage = Envelope & OutboundContent;

export const outboundMessageSchema = unionOf<OutboundMessage>(
  askedKinds.map(toMessage),
  `only ${askedKinds.map(({ type }) => type).join(', ')} so far`,
).meta({ id: 'OutboundMessage' });

/** Splits a request into its content and its envelope. It is the one place that tells the two apart. */
export function splitMessage(message: OutboundMessage): {
  readonly envelope: Envelope;
  readonly content: OutboundContent;
} {
  const parts = Object.entries(message);
  return {
    envelope: Object.fromEntries(parts.filter(([name]) => Object.hasOwn(envelope, name))) as unknown as Envelope,
    content: Object.fromEntries(parts.filter(([name]) => !Object.hasOwn(envelope, name))) as unknown as OutboundContent,
  };
}

function toMessage({ type, asked, description, example }: AskedKind): z.ZodObject {
  const members = z.strictObject({ ...envelope, type: z.literal(type), [type]: asked });
  return members.meta({ description, examples: [{ to: '+49 151 23456789', type, [type]: example }] });
}
