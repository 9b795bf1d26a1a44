import { z } from 'zod';
import type { ConnectionId, CorrelationId, MessageId, StanzaId, TenantId } from '../kernel/id.ts';
import { connectionStatuses, statusCodes } from '../connection/status.ts';
import { inboundContentSchema, messageFlagsSchema } from '../message/content.ts';

/**
 * What a worker tells ingest through the events queue. Not an *event* yet: ingest decides which of these become events in
 * the tenant's log. `key` names the fact: two with the same key are the same fact, however often they are published, and
 * only the first becomes an event.
 */
const brandedText = <Brand>() =>
  z
    .string()
    .min(1)
    .transform((text) => text as Brand);

const factKey = z.string().min(1).max(200);
const fact = { key: factKey, atMs: z.number().int() } as const;
/** Keys that the same fact has by the other names of its people: it may come once by number and once by LID. */
const otherKeys = z.array(factKey).max(3).optional();

/** A message that WhatsApp delivered: from a contact, or our own from another device (`fromMe`). */
const messageFact = z.object({
  ...fact,
  kind: z.literal('message'),
  stanzaId: brandedText<StanzaId>(),
  /** The conversation: a person or a group, without device. */
  chat: z.string(),
  /** Who wrote it, without device. In a group this is not the chat. */
  sender: z.string(),
  /** The phone-number address when chat or sender is a LID, and the other way round, where WhatsApp told it. */
  chatAlias: z.string().optional(),
  senderAlias: z.string().optional(),
  fromMe: z.boolean(),
  senderName: z.string().optional(),
  otherKeys,
  /** When it reached the worker; grows from message to message. Absent in what an earlier release published. */
  receivedAtMs: z.number().int().optional(),
  content: inboundContentSchema,
  /** What it was wrapped in, such as `viewOnce`; absent when in nothing. */
  flags: messageFlagsSchema.optional(),
});

/** Progress of a message we sent, told by a recipient. */
const receiptFact = z.object({
  ...fact,
  kind: z.literal('receipt'),
  stanzaId: brandedText<StanzaId>(),
  chat: z.string(),
  recipient: z.string(),
  chatAlias: z.string().optional(),
  recipientAlias: z.string().optional(),
  state: z.enum(['delivered', 'read', 'played']),
});

/** Result of a send command, recorded on the message row before this is published. */
const sendResultFact = z.object({
  ...fact,
  kind: z.literal('send_result'),
  messageId: brandedText<MessageId>(),
  state: z.enum(['sent', 'failed', 'expired']),
  error: z.object({ code: z.string(), sentence: z.string() }).optional(),
});

/** A new public status of the connection, recorded on its row before this is published. */
const statusFact = z.object({
  ...fact,
  kind: z.literal('status'),
  status: z.enum(connectionStatuses),
  code: z.enum(statusCodes),
  nextAttemptAtMs: z.number().int().optional(),
});

/** Somebody calls the account. */
const callFact = z.object({
  ...fact,
  kind: z.literal('call'),
  callId: z.string().min(1),
  /** Who calls, without device. */
  caller: z.string(),
  callerAlias: z.string().optional(),
  otherKeys,
  /** The group that is called together. */
  group: z.string().optional(),
  video: z.boolean(),
  /** It is being refused, because the connection's settings say so. */
  rejected: z.boolean(),
});

export const internalEventSchema = z.discriminatedUnion('kind', [
  messageFact,
  receiptFact,
  sendResultFact,
  statusFact,
  callFact,
]);
export type InternalEvent = z.infer<typeof internalEventSchema>;
export type MessageFact = z.infer<typeof messageFact>;
export type ReceiptFact = z.infer<typeof receiptFact>;
export type SendResultFact = z.infer<typeof sendResultFact>;
export type StatusFact = z.infer<typeof statusFact>;
export type CallFact = z.infer<typeof callFact>;

/** Body of one message in the events queue: facts of one connection, in order, at most 64 KB. Group = connection id. */
export const internalEventBatchSchema = z.object({
  version: z.literal(1),
  tenantId: brandedText<TenantId>(),
  connectionId: brandedText<ConnectionId>(),
  shard: z.number().int().min(0),
  /** The shard's epoch under which the facts were seen. */
  token: z.number().int().min(1),
  correlationId: brandedText<CorrelationId>(),
  /** Unique to this publish; a redelivery of the same SQS message carries the same one. */
  batchId: z.string().min(1),
  events: z.array(internalEventSchema).min(1).max(100),
});
export type InternalEventBatch = z.infer<typeof internalEventBatchSchema>;
