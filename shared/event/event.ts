import { z } from 'zod';
import { connectionStatuses, statusCodes, userActions } from '../connection/status.ts';
import { actionFailedDataSchema, actionSucceededDataSchema } from '../action/actionView.ts';
import { contentSchema, messageFlagsSchema } from '../content/content.ts';
import { chatSchema, contactSchema, senderSchema } from '../message/party.ts';
import { sendErrorSchema } from '../message/sendError.ts';

/**
 * The events that tenants are told: the envelope that the event log keeps, `GET /v1/events` answers and webhooks carry,
 * in the same bytes. The id is the place in the tenant's log: it orders events, and a receiver recognises a repeated
 * delivery by it.
 */
export const eventTypes = [
  'connection.status',
  'message.received',
  'message.echo',
  'message.status',
  'call.received',
  'action.succeeded',
  'action.failed',
] as const;
export type EventType = (typeof eventTypes)[number];

const envelope = {
  id: z.string().meta({ description: 'Place in the log. The same in every delivery.', example: 'evt_000000000000042' }),
  version: z.literal(1),
  tenantId: z.string(),
  connectionId: z.string(),
  correlationId: z.string().meta({ description: 'Follows one request through command, event, delivery and log.' }),
  occurredAt: z.iso.datetime().meta({ description: 'When it happened, not when it was recorded.' }),
} as const;

const statusDataSchema = z
  .object({
    status: z.enum(connectionStatuses),
    code: z.enum(statusCodes).meta({ description: 'Why, as a stable code.' }),
    sentence: z.string(),
    userAction: z.enum(userActions),
    since: z.iso.datetime(),
    nextAttemptAt: z.iso
      .datetime()
      .optional()
      .meta({ description: 'When the next attempt to connect begins; absent when none is planned.' }),
  })
  .meta({ id: 'ConnectionStatusData' });

const messageDataSchema = z
  .object({
    messageId: z.string(),
    stanzaId: z.string().meta({ description: "WhatsApp's id of the message." }),
    chat: chatSchema,
    sender: senderSchema,
    content: contentSchema,
    flags: messageFlagsSchema.optional(),
  })
  .meta({ id: 'MessageData' });

const messageStatusDataSchema = z
  .object({
    messageId: z.string(),
    stanzaId: z.string(),
    status: z.enum(['sent', 'delivered', 'read', 'played', 'failed', 'expired', 'cancelled']),
    recipient: contactSchema,
    resolvedTo: contactSchema.optional().meta({
      description: 'The account that WhatsApp named for the address, where that is another one: it was sent there.',
    }),
    error: sendErrorSchema.optional(),
  })
  .meta({ id: 'MessageStatusData' });

const callDataSchema = z
  .object({
    callId: z.string().meta({ description: "WhatsApp's id of the call." }),
    caller: contactSchema,
    group: chatSchema.optional().meta({ description: 'The group that is called together.' }),
    video: z.boolean(),
    rejected: z.boolean().meta({ description: 'It is refused, as the settings of the connection ask for.' }),
  })
  .meta({ id: 'CallData' });

/** One event, by type. `message.echo` is the tenant's own message, written on another device. */
export const eventSchema = z
  .discriminatedUnion('type', [
    z.object({ ...envelope, type: z.literal('connection.status'), data: statusDataSchema }),
    z.object({ ...envelope, type: z.literal('message.received'), data: messageDataSchema }),
    z.object({ ...envelope, type: z.literal('message.echo'), data: messageDataSchema }),
    z.object({ ...envelope, type: z.literal('message.status'), data: messageStatusDataSchema }),
    z.object({ ...envelope, type: z.literal('call.received'), data: callDataSchema }),
    z.object({ ...envelope, type: z.literal('action.succeeded'), data: actionSucceededDataSchema }),
    z.object({ ...envelope, type: z.literal('action.failed'), data: actionFailedDataSchema }),
  ])
  .meta({ id: 'Event' });
export type TenantEvent = z.infer<typeof eventSchema>;

type WithoutId<Kind> = Kind extends unknown ? Omit<Kind, 'id'> : never;
/** An event that has no place in the log yet. */
export type EventDraft = WithoutId<TenantEvent>;
