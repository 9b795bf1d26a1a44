import { z } from 'zod';
import type { ActionId, ConnectionId, CorrelationId, MessageId, StanzaId, TenantId } from '../../kernel/id.ts';
import { factBounds, isWellFormed } from '../factBounds.ts';
import { connectionStatuses, statusCodes } from '../../connection/status.ts';
import { inboundContentSchema, messageFlagsSchema } from '../../content/content.ts';
import { sendErrorSchema } from '../../message/sendError.ts';

/**
 * The facts that workers publish to ingest through the events queue. A fact is not an *event* yet: ingest decides which
 * facts become events in the tenant's log. `key` names the fact: two with the same key are the same fact, however often
 * they are published, and only the first becomes an event.
 */
const brandedText = <Brand>() =>
  z
    .string()
    .min(1)
    .transform((text) => text as Brand);

/** The last moment that an id made of a time can hold. */
const LAST_MS = 2 ** 48 - 1;

const timeMs = z.number().int().min(0).max(LAST_MS);
const factKey = z.string().min(1).max(factBounds.keyUnits);
const common = { key: factKey, atMs: timeMs } as const;
/** Keys that the same fact has by the other names of its people: it may come once by number and once by LID. */
const otherKeys = z.array(factKey).max(factBounds.otherKeys).optional();
/** An address from WhatsApp, with a bound: a worker lets out nothing that is longer. */
const address = z.string().max(factBounds.addressUnits);
const whatsAppId = z.string().min(1).max(factBounds.idUnits);

/** A message that WhatsApp delivered: from a contact, or the account's own from another device (`fromMe`). */
const messageFact = z.object({
  ...common,
  kind: z.literal('message'),
  stanzaId: whatsAppId.transform((text) => text as StanzaId),
  /** The conversation: a person or a group, without device. */
  chat: address,
  /** The person who wrote it, without device. In a group this is not the chat. */
  sender: address,
  /** The phone-number address when chat or sender is a LID, and the other way round, where WhatsApp gave it. */
  chatAlias: address.optional(),
  senderAlias: address.optional(),
  fromMe: z.boolean(),
  senderName: z.string().optional(),
  otherKeys,
  /**
   * The time at which it reached the worker; it grows from message to message. Absent in facts of an earlier release.
   */
  receivedAtMs: timeMs.optional(),
  content: inboundContentSchema,
  /** The wrappings of the message, such as `viewOnce`; absent when it had none. */
  flags: messageFlagsSchema.optional(),
});

/** The progress of a message that we sent, as a recipient's device reports it. */
const receiptFact = z.object({
  ...common,
  kind: z.literal('receipt'),
  stanzaId: whatsAppId.transform((text) => text as StanzaId),
  chat: address,
  recipient: address,
  chatAlias: address.optional(),
  recipientAlias: address.optional(),
  state: z.enum(['delivered', 'read', 'played']),
});

/** The result of a send command, recorded on the message row before this is published. */
const sendResultFact = z.object({
  ...common,
  kind: z.literal('send_result'),
  messageId: brandedText<MessageId>(),
  state: z.enum(['sent', 'failed', 'expired', 'cancelled']),
  error: sendErrorSchema.optional(),
});

/** An action is over. How it ended is on its row, recorded before this is published. */
const actionEndFact = z.object({ ...common, kind: z.literal('action_end'), actionId: brandedText<ActionId>() });

/** A new public status of the connection, recorded on its row before this is published. */
const statusFact = z.object({
  ...common,
  kind: z.literal('status'),
  status: z.enum(connectionStatuses),
  code: z.enum(statusCodes),
  nextAttemptAtMs: z.number().int().optional(),
});

/** A call to the account. */
const callFact = z.object({
  ...common,
  kind: z.literal('call'),
  callId: whatsAppId,
  /** The person who calls, without device. */
  caller: address,
  callerAlias: address.optional(),
  otherKeys,
  /** The group that is called together. */
  group: address.optional(),
  video: z.boolean(),
  /** Whether the call is being refused, because the connection's settings say so. */
  rejected: z.boolean(),
});

export const factSchema = z
  .discriminatedUnion('kind', [messageFact, receiptFact, sendResultFact, actionEndFact, statusFact, callFact])
  .refine(isWellFormed, { message: 'not well-formed' });
export type Fact = z.infer<typeof factSchema>;
export type MessageFact = z.infer<typeof messageFact>;
export type ReceiptFact = z.infer<typeof receiptFact>;
export type SendResultFact = z.infer<typeof sendResultFact>;
export type ActionEndFact = z.infer<typeof actionEndFact>;
export type StatusFact = z.infer<typeof statusFact>;
export type CallFact = z.infer<typeof callFact>;

/**
 * The fields around the facts in one message of the events queue, with the facts not looked at yet: each is judged by
 * itself, so that one which is wrong does not cost the others.
 */
export const batchEnvelopeSchema = z.object({
  version: z.literal(1),
  tenantId: brandedText<TenantId>(),
  connectionId: brandedText<ConnectionId>(),
  shard: z.number().int().min(0),
  /** The shard's epoch under which the facts were seen. */
  token: z.number().int().min(1),
  correlationId: brandedText<CorrelationId>(),
  /** The id of this publish; a redelivery of the same SQS message carries the same one. */
  batchId: z.string().min(1),
  events: z.array(z.unknown()).min(1).max(1_000),
});
export type BatchEnvelope = z.infer<typeof batchEnvelopeSchema>;

/**
 * The body of one message in the events queue: facts of one connection, in order, at most 64 KB. The group is the
 * connection id.
 */
export const factBatchSchema = batchEnvelopeSchema.extend({
  events: z.array(factSchema).min(1).max(100),
});
export type FactBatch = z.infer<typeof factBatchSchema>;
