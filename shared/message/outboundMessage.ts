import { z } from 'zod';
import { askedKinds, unionOf, type AskedKind, type OutboundContent } from '../content/content.ts';
import { INTERACTIVE_IMPOSSIBLE, impossibleKinds, type ImpossibleKind } from '../content/impossibleKinds.ts';
import { isChoice } from '../content/interactiveRequest.ts';
import { AppError } from '../kernel/appError.ts';
import type { ActContent } from './actRule.ts';
import { albumExample, albumField, type AskedAlbum } from './albumRequest.ts';
import { expiresAtField, notBeforeField } from './sendTimes.ts';
import { statusExampleOf, statusField, statusTypes } from './statusField.ts';

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
  to: z.string().min(1).max(64).meta({
    description: 'Phone number in international form, an address of a person, group or channel, or `status`.',
    example: '+49 151 23456789',
  }),
  status: statusField
    .optional()
    .meta({ description: 'With `to: "status"`, which posts a status: who may see it, and its look.' }),
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
  not_before: notBeforeField.optional(),
  expires_at: expiresAtField.optional(),
} as const;

/** The parts of a request around its content: where the message goes, and how it is sent. */
export type Envelope = z.infer<z.ZodObject<typeof envelope>>;

const { messaging_product: product, recipient_type: type, to, biz_opaque_callback_data: callback } = envelope;
/** What stands around an act on another message: that message says where it goes. */
const envelopeOfAct = {
  messaging_product: product,
  recipient_type: type,
  to: to.optional().meta({ description: 'May be left out; if it is given, it must be the chat of that message.' }),
  biz_opaque_callback_data: callback,
} as const;
const { mentions, mention_all: everyone } = envelope;

type NewContent = Exclude<OutboundContent, ActContent>;
/** A request for a message that stands for itself. */
export type NewMessage = Envelope & NewContent;
/** A request that acts on another message. */
export type ActMessage = z.infer<z.ZodObject<typeof envelopeOfAct>> &
  Partial<Pick<Envelope, 'mentions' | 'mention_all'>> &
  ActContent;
const { context: _context, mentions: _mentions, mention_all: _everyone, ...envelopeOfForward } = envelope;
const forwarded = z.strictObject({
  message_id: z.string().min(1).max(64).meta({ description: 'The message of this connection, by its id here.' }),
});
/** A request to send again, to somebody else, what another message says. */
export type ForwardMessage = z.infer<z.ZodObject<typeof envelopeOfForward>> & {
  readonly type: 'forward';
  readonly forward: z.infer<typeof forwarded>;
};
const { not_before: _notBefore, status: _status, mentions: _people, mention_all: _all, ...envelopeOfAlbum } = envelope;
/** A request to send several pictures and films as one album. */
export type AlbumMessage = z.infer<z.ZodObject<typeof envelopeOfAlbum>> & {
  readonly type: 'album';
  readonly album: AskedAlbum;
};
export type OutboundMessage = NewMessage | ActMessage | ForwardMessage | AlbumMessage;

/** A request for what a linked device cannot send. */
export type ImpossibleMessage = Envelope & { readonly type: ImpossibleKind };

export const outboundMessageSchema = unionOf<OutboundMessage | ImpossibleMessage>(
  [...askedKinds.map(toMessage), forwardSchema(), albumSchema(), ...Object.entries(impossibleKinds).map(toImpossible)],
  `only ${[...askedKinds.map(({ type }) => type), 'forward', 'album'].join(', ')} so far`,
).meta({ id: 'OutboundMessage' });

/** Whether a request is for an album, which becomes several messages. */
export function isAlbum(message: OutboundMessage | ImpossibleMessage): message is AlbumMessage {
  return message.type === 'album' && 'parts' in message.album;
}

/** A request that can be sent. Throws `not_possible_on_linked_devices` for one that WhatsApp would show to nobody. */
export function onlyPossible(message: OutboundMessage | ImpossibleMessage): OutboundMessage {
  if (isImpossible(message)) throw impossible('type', impossibleKinds[message.type]);
  if (message.type === 'interactive' && !isChoice(message.interactive) && message.interactive.fallback === undefined) {
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
  readonly envelope: Partial<Envelope>;
  readonly content: OutboundContent | Pick<ForwardMessage, 'type' | 'forward'>;
} {
  const parts = Object.entries(message);
  return {
    envelope: Object.fromEntries(parts.filter(([name]) => Object.hasOwn(envelope, name))) as Partial<Envelope>,
    content: Object.fromEntries(parts.filter(([name]) => !Object.hasOwn(envelope, name))) as unknown as OutboundContent,
  };
}

function forwardSchema(): z.ZodObject {
  const members = z.strictObject({ ...envelopeOfForward, type: z.literal('forward'), forward: forwarded });
  return members.meta({
    description: 'Sends again what another message says, marked as forwarded. The message has the content of that one.',
    examples: [{ to: '+49 151 23456789', type: 'forward', forward: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' } }],
  });
}

function albumSchema(): z.ZodObject {
  const members = z.strictObject({ ...envelopeOfAlbum, type: z.literal('album'), album: albumField });
  return members.meta({
    description:
      'Several pictures and films, which are shown together. The answer is the beginning of the album, and `parts` names the message of each. ' +
      'It is not scheduled, mentions nobody and is no status, so it has none of those fields.',
    examples: [{ to: '+49 151 23456789', type: 'album', album: albumExample }],
  });
}

function toMessage({ acts, ...kind }: AskedKind): z.ZodObject {
  return acts ? toAct(kind) : toNew(kind);
}

function toAct({ type, asked, description, example }: Omit<AskedKind, 'acts'>): z.ZodObject {
  // The new words of an edit may mention people as a text does.
  const around = type === 'edit' ? { ...envelopeOfAct, mentions, mention_all: everyone } : envelopeOfAct;
  const members = z.strictObject({ ...around, type: z.literal(type), [type]: asked });
  return members.meta({ description, examples: [{ type, [type]: example }] });
}

function toNew({ type, asked, description, example, answers }: Omit<AskedKind, 'acts'>): z.ZodObject {
  const members = z.strictObject({ ...envelope, type: z.literal(type), [type]: asked });
  const context = answers ? { context: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' } } : {};
  const examples: object[] = [{ to: '+49 151 23456789', ...context, type, [type]: example }];
  if (statusTypes.has(type)) examples.push({ to: 'status', type, [type]: example, status: statusExampleOf(type) });
  return members.meta({ description, examples });
}

function toImpossible([type, reason]: readonly [string, string]): z.ZodObject {
  const members = z.strictObject({ ...envelope, type: z.literal(type), [type]: z.unknown() });
  return members.meta({ description: `Refused with \`not_possible_on_linked_devices\`. ${reason}` });
}
