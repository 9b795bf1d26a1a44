import { z } from 'zod';
import { askedKinds, unionOf, type AskedKind, type OutboundContent } from '../content/content.ts';
import { INTERACTIVE_IMPOSSIBLE, impossibleKinds, type ImpossibleKind } from '../content/impossibleKinds.ts';
import { AppError } from '../kernel/appError.ts';

/** The seconds after which WhatsApp lets a message disappear: never, a day, a week, 90 days. */
export const expiryChoices = [0, 86_400, 604_800, 7_776_000] as const;
/** The most people whom one message mentions. */
const MENTIONS = 256;

/**
 * The body of a request to send: the message object of the WhatsApp Cloud API. `messaging_product` and `recipient_type`
 * are accepted so that a body written for the Cloud API works unchanged.
 */
const envelope = {
  messaging_product: z.literal('whatsapp').optional(),
  recipient_type: z.enum(['individual', 'group']).optional(),
  to: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: 'Phone number in international form, or a WhatsApp address.', example: '+49 151 23456789' }),
  context: z
    .strictObject({ message_id: z.string().min(1).max(64) })
    .optional()
    .meta({ description: 'The message of this connection that it answers, by its id here.' }),
  mentions: z.array(z.string().min(1).max(64)).max(MENTIONS).optional().meta({
    description: 'The people whom it mentions. A text shows each where it has @ and the digits of the address.',
  }),
  mention_all: z.boolean().optional().meta({ description: 'Whether it mentions everybody in the group.' }),
  expires_in: z
    .union(
      expiryChoices.map((seconds) => z.literal(seconds)),
      { error: `must be one of ${expiryChoices.join(', ')}` },
    )
    .optional()
    .meta({ description: 'The seconds after which it disappears; 0, as when left out, for never.' }),
  biz_opaque_callback_data: z
    .string()
    .max(512)
    .optional()
    .meta({ description: 'Words of yours, which come back with the message and each of its `message.status` events.' }),
} as const;

/** The parts of a request around its content: where the message goes, and how it is sent. */
export type Envelope = z.infer<z.ZodObject<typeof envelope>>;
export type OutboundMessage = Envelope & OutboundContent;

/** A request for what a linked device cannot send. */
export type ImpossibleMessage = Envelope & { readonly type: ImpossibleKind };

export const outboundMessageSchema = unionOf<OutboundMessage | ImpossibleMessage>(
  [...askedKinds.map(toMessage), ...Object.entries(impossibleKinds).map(toImpossible)],
  `only ${askedKinds.map(({ type }) => type).join(', ')} so far`,
).meta({ id: 'OutboundMessage' });

/** A request that can be sent. Throws `not_possible_on_linked_devices` for one that WhatsApp would show to nobody. */
export function onlyPossible(message: OutboundMessage | ImpossibleMessage): OutboundMessage {
  if (isImpossible(message)) throw impossible('type', impossibleKinds[message.type]);
  if (message.type === 'interactive' && message.interactive.fallback === undefined) {
    throw impossible('interactive.fallback', INTERACTIVE_IMPOSSIBLE);
  }
  return message;
}

function isImpossible(message: OutboundMessage | ImpossibleMessage): message is ImpossibleMessage {
  return Object.hasOwn(impossibleKinds, message.type);
}

function impossible(field: string, reason: string): AppError {
  return new AppError('not_possible_on_linked_devices', { detail: reason, fields: [{ field, problem: reason }] });
}

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

function toImpossible([type, reason]: readonly [string, string]): z.ZodObject {
  const members = z.strictObject({ ...envelope, type: z.literal(type), [type]: z.unknown() });
  return members.meta({ description: `Refused with \`not_possible_on_linked_devices\`. ${reason}` });
}
