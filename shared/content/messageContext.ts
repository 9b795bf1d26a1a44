import { z } from 'zod';
import { boundedName } from '../kernel/boundedName.ts';
import { boundCount, contentBounds, wellFormed } from './contentBounds.ts';

/** The circumstances of a message beside its content, as the worker reads them; every address without device. */
export interface MessageContext {
  /** The message that it answers, by WhatsApp's id, and its author where the answer names one. */
  readonly replyTo?:
    | {
        readonly stanzaId: string;
        readonly sender?: string | undefined;
        /** The id that it has here, once it was found; the worker does not know it. */
        readonly messageId?: string | undefined;
        /** It is a status, which is answered in the chat with its author. */
        readonly inStatus?: true | undefined;
      }
    | undefined;
  /** The people whom it mentions. */
  readonly mentions?: readonly string[] | undefined;
  /** Everybody in the group is mentioned. */
  readonly mentionsEveryone?: true | undefined;
  /** The groups that it mentions. */
  readonly groupMentions?: readonly { readonly id: string; readonly subject?: string | undefined }[] | undefined;
  /** How often it was forwarded; 1 where that is all that is known. WhatsApp says "many times" from 5 on. */
  readonly forwarded?: number | undefined;
  /** The seconds after which it disappears. */
  readonly expiresIn?: number | undefined;
  /** The advertisement from which its writer came. */
  readonly referral?: Referral | undefined;
}

/** An advertisement, with the names of the Cloud API's `referral`. */
export type Referral = Readonly<Partial<Record<(typeof REFERRAL_TEXTS)[number], string>>>;
const REFERRAL_TEXTS = [
  'source_url',
  'source_id',
  'source_type',
  'headline',
  'body',
  'image_url',
  'video_url',
  'thumbnail_url',
  'ctwa_clid',
  'ref',
] as const;

/** The most people and groups that a message is shown to mention. */
const MENTIONS = 256;
const LONG_TEXT_UNITS = 2_048;
const LARGEST = 2 ** 32 - 1;

const name = z.string().max(contentBounds.otherUnits);
const count = z.number().int().min(0).max(LARGEST);

/** The context in a fact. */
export const messageContextSchema = z.object({
  replyTo: z
    .object({
      stanzaId: name,
      sender: name.optional(),
      messageId: name.optional(),
      inStatus: z.literal(true).optional(),
    })
    .optional(),
  mentions: z.array(name).max(MENTIONS).optional(),
  mentionsEveryone: z.literal(true).optional(),
  groupMentions: z
    .array(z.object({ id: name, subject: name.optional() }))
    .max(MENTIONS)
    .optional(),
  forwarded: count.optional(),
  expiresIn: count.optional(),
  referral: z.partialRecord(z.enum(REFERRAL_TEXTS), z.string().max(LONG_TEXT_UNITS)).optional(),
}) satisfies z.ZodType<MessageContext>;

/** A context that strangers wrote, no larger than a store accepts; undefined where nothing is left of it. */
export function boundContext(context: MessageContext): MessageContext | undefined {
  const { replyTo, mentions, mentionsEveryone, groupMentions, forwarded, expiresIn, referral } = context;
  const short = (text: string): string => boundedName(wellFormed(text), contentBounds.otherUnits);
  const bound: MessageContext = {
    replyTo: replyTo && {
      stanzaId: short(replyTo.stanzaId),
      ...(replyTo.sender === undefined ? {} : { sender: short(replyTo.sender) }),
      ...(replyTo.inStatus === true ? { inStatus: true } : {}),
    },
    mentions: mentions?.slice(0, MENTIONS).map(short),
    mentionsEveryone,
    groupMentions: groupMentions
      ?.slice(0, MENTIONS)
      .map(({ id, subject }) => ({ id: short(id), ...(subject === undefined ? {} : { subject: short(subject) }) })),
    forwarded: forwarded === undefined ? undefined : Math.min(boundCount(forwarded), LARGEST),
    expiresIn: expiresIn === undefined ? undefined : Math.min(boundCount(expiresIn), LARGEST),
    referral: referral && boundReferral(referral),
  };
  const present = Object.entries(bound).filter(([, value]) => value !== undefined);
  return present.length === 0 ? undefined : Object.fromEntries(present);
}

function boundReferral(referral: Referral): Referral {
  const entries = REFERRAL_TEXTS.flatMap((field) => {
    const text = referral[field];
    return text === undefined ? [] : [[field, boundedName(wellFormed(text), LONG_TEXT_UNITS)] as const];
  });
  return Object.fromEntries(entries);
}
