import { statusRules } from '../connection/status.ts';
import { deriveMessageId, type ConnectionId } from '../kernel/id.ts';
import { movesForward, sendErrors, type Message, type ReceivedMessage, type SentMessage } from '../message/message.ts';
import type { MessageStore } from '../message/messageStore.ts';
import { receiptWrite, receivedMessageWrite, type MessageAliases } from '../message/messageWrites.ts';
import type { EventDraft } from './event.ts';
import type { InternalEvent, InternalEventBatch, MessageFact } from './internalEvent.ts';
import { recordOnce, type FactPlan, type RecordDependencies, type RecordedEvent } from './recordOnce.ts';

/** Ingest of what a worker published: each fact in its order, each at most once. */
export interface FactDependencies extends RecordDependencies {
  readonly messages: Pick<MessageStore, 'find' | 'findByStanza'>;
}

/** What a fact means for the tenant, before it is written. `unknown` is of no concern to us and leaves no trace. */
export type FactDecision =
  | { readonly decision: 'unknown' }
  /** Nothing that the tenant has not been told. */
  | { readonly decision: 'no_news' }
  | { readonly decision: 'tell'; readonly draft: EventDraft }
  | {
      readonly decision: 'store_message';
      readonly draft: EventDraft;
      readonly message: ReceivedMessage & MessageAliases;
    }
  | {
      readonly decision: 'advance_message';
      readonly draft: EventDraft;
      readonly message: SentMessage;
      readonly state: 'delivered' | 'read' | 'played';
    };

/**
 * Records the facts of a batch in their order. Returns the events that are to be delivered, also those that an earlier run
 * of the same batch recorded. Throws at the first fact that cannot be recorded; the facts before it stay recorded.
 */
export async function recordFacts(
  dependencies: FactDependencies,
  batch: InternalEventBatch,
): Promise<readonly RecordedEvent[]> {
  const recorded = new Map<string, RecordedEvent>();
  for (const fact of batch.events) {
    const { tenantId, connectionId, batchId } = batch;
    const event = await recordOnce(dependencies, { tenantId, connectionId, batchId, factKey: fact.key }, async () =>
      toPlan(dependencies, decideFact(batch, fact, await findMessage(dependencies, connectionId, fact)), fact.atMs),
    );
    if (event !== undefined) recorded.set(event.eventId, event);
  }
  return [...recorded.values()];
}

/** What to do about a fact. @param message the one that the fact is about, where it is about one we sent */
export function decideFact(
  batch: Omit<InternalEventBatch, 'events'>,
  fact: InternalEvent,
  message: Message | undefined,
): FactDecision {
  const common = {
    version: 1,
    tenantId: batch.tenantId,
    connectionId: batch.connectionId,
    occurredAt: new Date(fact.atMs).toISOString(),
  } as const;
  if (fact.kind === 'message') return decideMessage(batch, fact, common);
  if (fact.kind === 'status') {
    const { sentence, userAction } = statusRules[fact.code];
    const { status, code, nextAttemptAtMs } = fact;
    const next = nextAttemptAtMs === undefined ? {} : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() };
    const data = { status, code, sentence, userAction, since: common.occurredAt, ...next };
    const draft = { ...common, type: 'connection.status', correlationId: batch.correlationId, data } as const;
    return { decision: 'tell', draft };
  }
  if (fact.kind === 'call') {
    const { callId, caller, callerAlias, group, video, rejected } = fact;
    const alias = callerAlias === undefined ? {} : { callerAlias };
    const data = { callId, caller, ...alias, ...(group === undefined ? {} : { group }), video, rejected };
    const draft = { ...common, type: 'call.received', correlationId: batch.correlationId, data } as const;
    return { decision: 'tell', draft };
  }
  // Sent from the phone or another device: not one of the messages that we report on.
  if (message?.direction !== 'out') return { decision: 'unknown' };
  if (fact.kind === 'send_result') {
    return { decision: 'tell', draft: messageStatus(common, message, fact.state, message.to, fact.error) };
  }
  if (!movesForward(message.state, fact.state)) return { decision: 'no_news' };
  const draft = messageStatus(common, message, fact.state, fact.recipient, undefined);
  return { decision: 'advance_message', draft, message, state: fact.state };
}

/** The event of a message that never reached the queue. */
export function notEnqueuedDraft(message: SentMessage, atMs: number): EventDraft {
  const common = {
    version: 1,
    tenantId: message.tenantId,
    connectionId: message.connectionId,
    occurredAt: new Date(atMs).toISOString(),
  } as const;
  const error = { code: 'not_enqueued', sentence: sendErrors.not_enqueued };
  return messageStatus(common, message, 'failed', message.to, error);
}

type Common = Pick<EventDraft, 'version' | 'tenantId' | 'connectionId' | 'occurredAt'>;
type StatusData = Extract<EventDraft, { type: 'message.status' }>['data'];

function messageStatus(
  common: Common,
  message: SentMessage,
  status: StatusData['status'],
  recipient: string,
  error: StatusData['error'],
): EventDraft {
  const { messageId, stanzaId, correlationId } = message;
  const data = { messageId, stanzaId, status, recipient, ...(error === undefined ? {} : { error }) };
  // The correlation id is that of the request that sent the message.
  return { ...common, type: 'message.status', correlationId, data };
}

function decideMessage(batch: Omit<InternalEventBatch, 'events'>, fact: MessageFact, common: Common): FactDecision {
  const { tenantId, connectionId, correlationId } = batch;
  const { chat, chatAlias, sender, senderAlias, senderName, stanzaId, content, flags, atMs } = fact;
  const messageId = deriveMessageId(connectionId, { chat, sender, stanzaId, timestampMs: atMs });
  const data = {
    messageId,
    stanzaId,
    chat,
    ...(chatAlias === undefined ? {} : { chatAlias }),
    sender,
    ...(senderAlias === undefined ? {} : { senderAlias }),
    ...(senderName === undefined ? {} : { senderName }),
    content,
    ...(flags === undefined ? {} : { flags }),
  };
  return {
    decision: 'store_message',
    draft: { ...common, type: fact.fromMe ? 'message.echo' : 'message.received', correlationId, data },
    message: {
      tenantId,
      connectionId,
      messageId,
      stanzaId,
      chat,
      chatAlias,
      sender,
      senderAlias,
      senderName,
      content,
      flags,
      direction: fact.fromMe ? 'echo' : 'in',
      createdAtMs: atMs,
    },
  };
}

async function findMessage(
  { messages }: FactDependencies,
  connectionId: ConnectionId,
  fact: InternalEvent,
): Promise<Message | undefined> {
  if (fact.kind === 'receipt') return messages.findByStanza(connectionId, fact.stanzaId);
  if (fact.kind === 'send_result') return messages.find(connectionId, fact.messageId);
  return undefined;
}

function toPlan({ stage, clock }: FactDependencies, decided: FactDecision, atMs: number): FactPlan {
  if (decided.decision === 'unknown') return { plan: 'ignored' };
  if (decided.decision === 'no_news') return { plan: 'stored', draft: undefined, message: undefined };
  if (decided.decision === 'tell') return { plan: 'stored', draft: decided.draft, message: undefined };
  if (decided.decision === 'store_message') {
    const message = receivedMessageWrite(stage, decided.message, clock.nowMs());
    return { plan: 'stored', draft: decided.draft, message };
  }
  const { connectionId, messageId } = decided.message;
  const message = receiptWrite(stage, connectionId, messageId, { state: decided.state, atMs });
  return { plan: 'stored', draft: decided.draft, message };
}
