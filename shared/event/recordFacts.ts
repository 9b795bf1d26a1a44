import type { ActionStore } from '../action/actionStore.ts';
import { statusRules } from '../connection/status.ts';
import { deriveMessageId, type ConnectionId } from '../kernel/id.ts';
import { isPerson, otherNameOf } from '../kernel/jid.ts';
import { movesForward, type Message, type ReceivedMessage, type SentMessage } from '../message/message.ts';
import type { MessageStore } from '../message/messageStore.ts';
import { receiptWrite, receivedMessageWrite } from '../message/messageWrites.ts';
import { toChat, toContact, toSender, type Contact } from '../message/party.ts';
import { isWordOfRecipient } from '../message/recipient.ts';
import { toShownError } from '../message/sendError.ts';
import { planOfActionEnd } from './actionEnd.ts';
import type { EventDraft } from './event.ts';
import type { ActionEndFact, Fact, FactBatch, MessageFact, ReceiptFact, SendResultFact } from './facts/fact.ts';
import { recordOnce, type FactPlan, type RecordDependencies, type RecordedEvent } from './recordOnce.ts';

/** The part of ingest that records published facts: each in its order, each at most once. */
export interface FactDependencies extends RecordDependencies {
  readonly messages: Pick<MessageStore, 'find' | 'findByStanza'>;
  readonly actions: Pick<ActionStore, 'find'>;
}

/** The meaning of a fact for the tenant, before it is written. `unknown` is of no concern to us and leaves no trace. */
export type FactDecision =
  | { readonly decision: 'unknown' }
  /** The tenant has been told all of it before. */
  | { readonly decision: 'no_news' }
  | { readonly decision: 'tell'; readonly draft: EventDraft }
  | {
      readonly decision: 'store_message';
      readonly draft: EventDraft;
      readonly message: ReceivedMessage;
    }
  | {
      readonly decision: 'advance_message';
      readonly draft: EventDraft;
      readonly message: SentMessage;
      readonly state: 'delivered' | 'read' | 'played';
      readonly atMs: number;
      /** The other name of the recipient, where this receipt is the first to give it. */
      readonly toAlias: string | undefined;
    };

/**
 * Records the facts of a batch in their order. Returns the events that are to be delivered, also the ones that an
 * earlier run of the same batch recorded. Throws at the first fact that cannot be recorded; the facts before it stay
 * recorded.
 */
export async function recordFacts(dependencies: FactDependencies, batch: FactBatch): Promise<readonly RecordedEvent[]> {
  const recorded = new Map<string, RecordedEvent>();
  for (const fact of batch.events) {
    const event = await recordFact(dependencies, batch, fact);
    if (event !== undefined) recorded.set(event.eventId, event);
  }
  return [...recorded.values()];
}

/** All keys under which a fact may have been handled. */
function factKeysOf(fact: Fact): readonly [string, ...string[]] {
  const others = 'otherKeys' in fact ? (fact.otherKeys ?? []) : [];
  return [fact.key, ...others];
}

/** Records one fact of a batch, as {@link recordFacts} does. */
export async function recordFact(
  dependencies: FactDependencies,
  batch: Omit<FactBatch, 'events'>,
  fact: Fact,
): Promise<RecordedEvent | undefined> {
  const { tenantId, connectionId, batchId } = batch;
  const source = { tenantId, connectionId, batchId, factKeys: factKeysOf(fact) };
  if (fact.kind === 'action_end') {
    return recordOnce(dependencies, source, async () =>
      planOfActionEnd(fact, await dependencies.actions.find(connectionId, fact.actionId)),
    );
  }
  return recordOnce(dependencies, source, async () =>
    toPlan(dependencies, decideFact(batch, fact, await findMessage(dependencies, connectionId, fact))),
  );
}

/**
 * Decides what becomes of a fact.
 * @param message the message that the fact is about, where it is about one that we sent
 */
export function decideFact(
  batch: Omit<FactBatch, 'events'>,
  fact: Exclude<Fact, ActionEndFact>,
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
    const { callId, group, video, rejected } = fact;
    const caller = toContact(fact.caller, fact.callerAlias);
    const data = { callId, caller, ...(group === undefined ? {} : { group: toChat(group) }), video, rejected };
    const draft = { ...common, type: 'call.received', correlationId: batch.correlationId, data } as const;
    return { decision: 'tell', draft };
  }
  // The message was sent from the phone or another device: it is not one that we report on.
  if (message?.direction !== 'out') return { decision: 'unknown' };
  if (fact.kind === 'send_result') {
    const occurredAt = new Date(timeOfResult(message, fact)).toISOString();
    const draft = messageStatus({ ...common, occurredAt }, message, fact.state, recipientOf(message), fact.error);
    return { decision: 'tell', draft };
  }
  // Many know the id of a message: what counts is whether the message went to the sender of this receipt.
  if (!isWordOfRecipient(message, fact)) return { decision: 'unknown' };
  if (!movesForward(message.state, fact.state)) return { decision: 'no_news' };
  const atMs = timeOfReceipt(message, fact);
  const occurredAt = new Date(atMs).toISOString();
  const draft = messageStatus({ ...common, occurredAt }, message, fact.state, recipientOf(message, fact), undefined);
  return { decision: 'advance_message', draft, message, state: fact.state, atMs, toAlias: aliasLearned(message, fact) };
}

/**
 * The time of a result: after the message was accepted, by another machine's clock, and before a receipt that was
 * faster than the result.
 */
function timeOfResult({ createdAtMs, deliveredAtMs, readAtMs }: SentMessage, { atMs }: SendResultFact): number {
  return Math.min(Math.max(atMs, createdAtMs), deliveredAtMs ?? Infinity, readAtMs ?? Infinity);
}

/**
 * The time of a receipt. WhatsApp's clock gives whole seconds and need not agree with ours, but nothing is read before
 * it was sent.
 */
function timeOfReceipt({ createdAtMs, sentAtMs, deliveredAtMs, readAtMs }: SentMessage, { atMs }: ReceiptFact): number {
  return Math.max(atMs, createdAtMs, sentAtMs ?? 0, deliveredAtMs ?? 0, readAtMs ?? 0);
}

/**
 * The recipient of a message, with all names known: the same at each state. In a group it is the member who received
 * it.
 */
function recipientOf({ to, resolvedTo, toAlias }: SentMessage, receipt?: ReceiptFact): Contact {
  const told = [receipt?.recipient, receipt?.recipientAlias];
  return receipt === undefined || isPerson(to) ? toContact(resolvedTo, to, toAlias, ...told) : toContact(...told);
}

function aliasLearned({ to, resolvedTo, toAlias }: SentMessage, receipt: ReceiptFact): string | undefined {
  if (toAlias !== undefined) return undefined;
  return otherNameOf(resolvedTo ?? to, [receipt.recipient, receipt.recipientAlias]);
}

/** The event of a message that never reached the queue. */
export function notEnqueuedDraft(message: SentMessage, atMs: number): EventDraft {
  const common = {
    version: 1,
    tenantId: message.tenantId,
    connectionId: message.connectionId,
    occurredAt: new Date(atMs).toISOString(),
  } as const;
  const error = toShownError({ code: 'not_enqueued' });
  return messageStatus(common, message, 'failed', recipientOf(message), error);
}

type Common = Pick<EventDraft, 'version' | 'tenantId' | 'connectionId' | 'occurredAt'>;
type StatusData = Extract<EventDraft, { type: 'message.status' }>['data'];

function messageStatus(
  common: Common,
  message: SentMessage,
  status: StatusData['status'],
  recipient: Contact,
  error: StatusData['error'],
): EventDraft {
  const { messageId, stanzaId, correlationId, resolvedTo, toAlias } = message;
  const resolved = resolvedTo === undefined ? {} : { resolvedTo: toContact(resolvedTo, toAlias) };
  const data = { messageId, stanzaId, status, recipient, ...resolved, ...(error === undefined ? {} : { error }) };
  // The correlation id is that of the request that sent the message.
  return { ...common, type: 'message.status', correlationId, data };
}

function decideMessage(batch: Omit<FactBatch, 'events'>, fact: MessageFact, common: Common): FactDecision {
  const { tenantId, connectionId, correlationId } = batch;
  const { chat, chatAlias, sender, senderAlias, senderName, stanzaId, content, flags, atMs } = fact;
  // The id goes by the time of arrival and not by WhatsApp's whole second, so that the list keeps the order of the log.
  const timestampMs = fact.receivedAtMs ?? atMs;
  const messageId = deriveMessageId(connectionId, { chat, sender, stanzaId, timestampMs });
  const data = {
    messageId,
    stanzaId,
    chat: toChat(chat, chatAlias),
    sender: toSender(senderName, sender, senderAlias),
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
  fact: Exclude<Fact, ActionEndFact>,
): Promise<Message | undefined> {
  if (fact.kind === 'receipt') return messages.findByStanza(connectionId, fact.stanzaId);
  if (fact.kind === 'send_result') return messages.find(connectionId, fact.messageId);
  return undefined;
}

function toPlan({ stage, clock }: FactDependencies, decided: FactDecision): FactPlan {
  if (decided.decision === 'unknown') return { plan: 'ignored' };
  if (decided.decision === 'no_news') return { plan: 'stored', draft: undefined, message: undefined };
  if (decided.decision === 'tell') return { plan: 'stored', draft: decided.draft, message: undefined };
  if (decided.decision === 'store_message') {
    const message = receivedMessageWrite(stage, decided.message, clock.nowMs());
    return { plan: 'stored', draft: decided.draft, message };
  }
  const { state, atMs, toAlias } = decided;
  const { connectionId, messageId } = decided.message;
  const message = receiptWrite(stage, connectionId, messageId, { state, atMs, toAlias });
  return { plan: 'stored', draft: decided.draft, message };
}
