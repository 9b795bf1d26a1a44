import { z } from 'zod';
import { publicStatusOf, type Connection } from '../../shared/connection/connection.ts';
import { connectionStatuses, statusCodes } from '../../shared/connection/status.ts';
import { asShown } from '../../shared/message/acceptMessage.ts';
import { inboundContentSchema } from '../../shared/message/content.ts';
import { sendErrors, sendStates, type Message, type SendState } from '../../shared/message/message.ts';

/** What the API shows of our records: shapes for the document, and the pure translators to them. */
const at = z.iso.datetime();
const toTime = (ms: number): string => new Date(ms).toISOString();

export const connectionViewSchema = z
  .object({
    id: z.string(),
    label: z.string().optional(),
    status: z.object({
      status: z.enum(connectionStatuses),
      code: z.enum(statusCodes),
      sentence: z.string(),
      userAction: z.enum(['none', 'pair_again', 'wait', 'contact_operator']),
      since: at,
    }),
    account: z
      .object({ phoneNumber: z.string(), jid: z.string(), lid: z.string().optional(), name: z.string().optional() })
      .optional()
      .meta({ description: 'The linked WhatsApp account; absent until one is linked.' }),
    parkedMessages: z.number().int().meta({ description: 'Messages that wait for the connection to come online.' }),
    shard: z.number().int(),
    createdAt: at,
  })
  .meta({ id: 'Connection' });

export function toConnectionView(connection: Connection): z.infer<typeof connectionViewSchema> {
  const { sinceMs, ...status } = publicStatusOf(connection);
  const { account } = connection;
  return {
    id: connection.connectionId,
    ...(connection.label === undefined ? {} : { label: connection.label }),
    status: { ...status, since: toTime(sinceMs) },
    ...(account === undefined
      ? {}
      : {
          account: {
            phoneNumber: `+${account.phoneJid.split('@')[0] ?? ''}`,
            jid: account.phoneJid,
            ...(account.lid === undefined ? {} : { lid: account.lid }),
            ...(account.name === undefined ? {} : { name: account.name }),
          },
        }),
    parkedMessages: connection.parkedCount,
    shard: connection.shard,
    createdAt: toTime(connection.createdAtMs),
  };
}

const stateNames = Object.keys(sendStates) as [SendState, ...SendState[]];

export const messageViewSchema = z
  .object({
    id: z.string(),
    stanzaId: z.string().meta({ description: "WhatsApp's id of the message." }),
    direction: z.enum(['out', 'in', 'echo']),
    status: z.enum([...stateNames, 'received']),
    to: z.string().optional(),
    chat: z.string().optional(),
    sender: z.string().optional(),
    senderName: z.string().optional(),
    content: inboundContentSchema,
    error: z.object({ code: z.string(), sentence: z.string() }).optional(),
    createdAt: at,
    sentAt: at.optional(),
    deliveredAt: at.optional(),
    readAt: at.optional(),
  })
  .meta({ id: 'Message' });

export function toMessageView(message: Message, nowMs: number): z.infer<typeof messageViewSchema> {
  const common = { id: message.messageId, stanzaId: message.stanzaId, createdAt: toTime(message.createdAtMs) };
  if (message.direction !== 'out') {
    const { direction, chat, sender, senderName, content } = message;
    const named = senderName === undefined ? {} : { senderName };
    return { ...common, direction, status: 'received', chat, sender, ...named, content };
  }
  const { to, content, state, error, sentAtMs, deliveredAtMs, readAtMs } = asShown(message, nowMs);
  return {
    ...common,
    direction: 'out',
    status: state,
    to,
    content,
    ...(error === undefined ? {} : { error: { code: error, sentence: sendErrors[error] } }),
    ...(sentAtMs === undefined ? {} : { sentAt: toTime(sentAtMs) }),
    ...(deliveredAtMs === undefined ? {} : { deliveredAt: toTime(deliveredAtMs) }),
    ...(readAtMs === undefined ? {} : { readAt: toTime(readAtMs) }),
  };
}

/** A page of a list: `next` is the cursor of the page after it, absent on the last one. */
export const pageOf = (schema: z.ZodType) => z.object({ data: z.array(schema), next: z.string().optional() });

export const limitSchema = z.coerce.number().int().min(1).max(100).default(50);
