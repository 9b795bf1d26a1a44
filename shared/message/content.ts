import { z } from 'zod';

/** Longest text that WhatsApp's Cloud API accepts, in characters. */
const TEXT_LIMIT = 4_096;

/**
 * What a tenant may send: the message object of the WhatsApp Cloud API. `messaging_product` and `recipient_type` are
 * accepted so that a body written for the Cloud API works unchanged.
 */
export const outboundMessageSchema = z
  .strictObject({
    messaging_product: z.literal('whatsapp').optional(),
    recipient_type: z.literal('individual').optional(),
    to: z
      .string()
      .min(5)
      .max(64)
      .meta({ description: 'Phone number in international form, or a WhatsApp address.', example: '+49 151 23456789' }),
    type: z.literal('text'),
    text: z.strictObject({ body: z.string().min(1).max(TEXT_LIMIT) }),
  })
  .meta({ id: 'OutboundMessage' });
export type OutboundMessage = z.infer<typeof outboundMessageSchema>;

/** The part of a message that is shown to its reader. */
export const outboundContentSchema = z.object({ type: z.literal('text'), text: z.object({ body: z.string() }) });
export type OutboundContent = z.infer<typeof outboundContentSchema>;

/** What WhatsApp delivered. Kinds that have no form here yet arrive as `unsupported`: they are never dropped. */
export const inboundContentSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('text'), text: z.object({ body: z.string() }) }),
    z.object({ type: z.literal('unsupported'), unsupported: z.object({ kind: z.string() }) }),
  ])
  .meta({ id: 'MessageContent' });
export type InboundContent = z.infer<typeof inboundContentSchema>;
