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
      .min(1)
      .max(64)
      .meta({ description: 'Phone number in international form, or a WhatsApp address.', example: '+49 151 23456789' }),
    type: z.literal('text', { error: ({ input }) => (input === undefined ? undefined : 'only text so far') }),
    text: z.strictObject({ body: z.string().min(1).max(TEXT_LIMIT) }),
  })
  .meta({ id: 'OutboundMessage' });
export type OutboundMessage = z.infer<typeof outboundMessageSchema>;

/** The part of a message that is shown to its reader. */
export const outboundContentSchema = z.object({ type: z.literal('text'), text: z.object({ body: z.string() }) });
export type OutboundContent = z.infer<typeof outboundContentSchema>;

/**
 * What WhatsApp delivered. Kinds that have no form here yet arrive as `unsupported`: they are never dropped.
 * `docs/messages.md` lists what arrives how.
 */
export const inboundContentSchema = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('text'),
      text: z.object({
        body: z.string(),
        truncated: z.literal(true).optional().meta({ description: 'The text was longer than what is kept of one.' }),
        length: z
          .number()
          .int()
          .optional()
          .meta({ description: 'Length of the whole text in UTF-16 units, where it is truncated.' }),
      }),
    }),
    z.object({
      type: z.literal('unsupported'),
      unsupported: z.object({
        kind: z.string().meta({
          description:
            "WhatsApp's name of the kind; `field_<n>` where it has no known name, `malformed` for nonsense, `too_large` for what cannot be kept.",
          example: 'sticker',
        }),
        fields: z
          .array(z.number().int())
          .optional()
          .meta({ description: 'Numbers of the fields that are set, where they have no known name.' }),
        bytes: z.number().int().optional().meta({ description: 'Size of the message, where it could not be read.' }),
      }),
    }),
  ])
  .meta({ id: 'MessageContent' });
export type InboundContent = z.infer<typeof inboundContentSchema>;

/** What a message was wrapped in when it came, from the outside in. */
export const messageFlagsSchema = z.array(z.string()).meta({
  description: 'What the message was wrapped in, such as `viewOnce` or `ephemeral`; absent when in nothing.',
  example: ['ephemeral'],
});
