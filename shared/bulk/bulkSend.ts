import { createHash } from 'node:crypto';
import type { BulkSendId, ConnectionId, CorrelationId, TenantId } from '../kernel/id.ts';
import { sentIdsOf, type SentIds } from '../kernel/sentIds.ts';
import type { SendState } from '../message/message.ts';

/**
 * A bulk send: up to 10,000 messages of one connection that were asked for in one request, one message a line. Its lines are
 * kept together and become messages only as there is room, in their order (docs/bulk.md). `running` includes the time before
 * it may begin. It is over when `endedAtMs` is there: every message that it made has ended, and it makes no more.
 */
export const bulkSendStates = ['running', 'paused', 'finished', 'cancelled', 'expired'] as const;
export type BulkSendState = (typeof bulkSendStates)[number];

export interface BulkSend {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly shard: number;
  readonly bulkSendId: BulkSendId;
  readonly correlationId: CorrelationId;
  readonly createdAtMs: number;
  /** The number of its lines. */
  readonly total: number;
  /** The time before which it does not begin. */
  readonly notBeforeMs: number | undefined;
  /** The time that the caller named, after which no try of any of its messages begins. */
  readonly expiresAtMs: number | undefined;
  /** When it ends in any case: what has not become a message by then never does. */
  readonly untilMs: number;
  /** The most messages that it makes in a minute. */
  readonly perMinute: number | undefined;
  readonly state: BulkSendState;
  /** Grows with each change of its state; `told` is the number of the last one that there was an event of. */
  readonly changes: number;
  readonly told: number;
  /** When its state changed last. */
  readonly changedAtMs: number;
  /** Each line before this one has its message, and the queue its command. */
  readonly released: number;
  /** The message of each line before this one has ended. */
  readonly endedBefore: number;
  readonly startedAtMs: number | undefined;
  /** Up to when its pace is used up. */
  readonly pacedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

export const MOST_LINES = 10_000;
/** How many lines become messages at a time: so many may still do while a pause or a cancel is answered. */
export const BATCH_LINES = 25;
/** How long a bulk send may take from when it may begin, in milliseconds. */
export const LONGEST_MS = 30 * 24 * 60 * 60_000;

/** The bits of a line's number, and of the hash of its bulk send, in what stands for chance in its ids. */
const LINE_BITS = 14;
const HASH_BITS = 17;

/**
 * The millisecond in the ids of a line: one for each, so that the ids sort as the lines do and one query reads a range of them.
 * The last line has the millisecond in which the bulk send was accepted, so that none lies in the future.
 */
export function timeOfLine({ createdAtMs, total }: Pick<BulkSend, 'createdAtMs' | 'total'>, line: number): number {
  return createdAtMs - (total - 1 - line);
}

/**
 * The ids of the message of a line: always the same, so that whoever makes it again finds what is there.
 * @param attempt counts the ids that another message of the connection had already
 */
export function idsOfLine(bulk: BulkSend, line: number, attempt: number): SentIds {
  const hash =
    createHash('sha256').update(`${bulk.bulkSendId}:${attempt}`).digest().readUInt32BE() >>> (32 - HASH_BITS);
  return sentIdsOf(bulk.connectionId, timeOfLine(bulk, line), hash * 2 ** LINE_BITS + line);
}

/** Whether it makes no more messages. */
export function isStopped({ state }: Pick<BulkSend, 'state'>): boolean {
  return state !== 'running' && state !== 'paused';
}

const MINUTE_MS = 60_000;

/** How many messages a pace allows now, and up to when it is used up after so many. The function is pure. */
export function paceOf(
  { perMinute, pacedAtMs }: Pick<BulkSend, 'perMinute' | 'pacedAtMs'>,
  nowMs: number,
): { readonly allowed: number; readonly pacedAtMs: (made: number) => number | undefined } {
  if (perMinute === undefined) return { allowed: Infinity, pacedAtMs: () => undefined };
  const eachMs = MINUTE_MS / perMinute;
  // What was not used for longer than a minute, such as during a pause, is lost: no rush follows. The first leaves at once.
  const fromMs = Math.max(pacedAtMs ?? nowMs - eachMs, nowMs - Math.max(MINUTE_MS, eachMs));
  return { allowed: Math.floor((nowMs - fromMs) / eachMs), pacedAtMs: (made) => fromMs + made * eachMs };
}

/** The number of messages by state, and of lines that are none yet (`waiting`) or never will be (`cancelled`, `expired`). */
export type BulkCounts = Readonly<Record<SendState | 'waiting', number>>;
