import { createHash } from 'node:crypto';
import type { HistoryPolicy } from '../connection/historyPolicy.ts';
import type { ConnectionId, CorrelationId, TenantId } from '../kernel/id.ts';

/**
 * The types of history, by WhatsApp's numbers (`HistorySyncType` of its protocol 2.3000.1045601094). `messages`: those of chats, which the
 * settings of a connection may leave out; `people`: names and numbers alone.
 */
export const historyTypes = {
  initial: { number: 0, brings: 'messages' },
  statuses: { number: 1, brings: 'nothing' },
  full: { number: 2, brings: 'messages' },
  recent: { number: 3, brings: 'messages' },
  names: { number: 4, brings: 'people' },
  other: { number: 5, brings: 'people' },
  on_demand: { number: 6, brings: 'messages' },
  none: { number: 7, brings: 'nothing' },
} as const satisfies Record<string, { readonly number: number; readonly brings: 'messages' | 'people' | 'nothing' }>;
export type HistoryType = keyof typeof historyTypes;
export const historyTypeNames = Object.keys(historyTypes) as [HistoryType, ...HistoryType[]];

/** The type with a number of WhatsApp's; `other` for one that nobody knows yet. */
export function historyTypeOf(number: number): HistoryType {
  return historyTypeNames.find((name) => historyTypes[name].number === number) ?? 'other';
}

/** Whether the messages of a history are kept. What a tenant asks the phone for is kept whatever the settings say. */
export function keepsMessages(type: HistoryType, policy: HistoryPolicy): boolean {
  if (historyTypes[type].brings !== 'messages') return false;
  if (type === 'on_demand') return true;
  return policy === 'full' || (policy === 'recent' && type !== 'full');
}

/** The addresses of the account itself. */
export interface OwnAddresses {
  readonly phoneJid: string;
  readonly lid: string | undefined;
}

/** Where a history lies: in the notice itself, or sealed at WhatsApp like a file. */
export type HistoryPlace =
  | { readonly inline: Uint8Array }
  | {
      readonly file: { readonly path: string; readonly key: string; readonly sha256: string; readonly use: 'history' };
    }
  /** The notice names no place, or brings more than a row holds. */
  | { readonly lost: 'no_place' | 'too_large' };

/** A notice of the phone that a part of the history is there. */
export interface HistoryNotice {
  /** The same part of a history has the same id, whatever message brought it. */
  readonly noticeId: string;
  readonly type: HistoryType;
  /** The number of the part among those of its type, as the phone counts. */
  readonly chunk: number;
  /** How far the phone has come with this type, in percent, as it says. */
  readonly progress: number;
  readonly place: HistoryPlace;
  /** The request that it answers, where it was asked for. */
  readonly requestId?: string | undefined;
}

/** A notice as it is recorded, before its receipt leaves. */
export interface RecordedNotice extends HistoryNotice {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly correlationId: CorrelationId;
  readonly shard: number;
  readonly policy: HistoryPolicy;
  readonly own: OwnAddresses;
  readonly recordedAtMs: number;
}

/** The states of a notice: taken in as a whole, or given up with a fault. */
export const noticeStates = ['waiting', 'done', 'failed'] as const;
export type NoticeState = (typeof noticeStates)[number];

/** Why a part of a history cannot be taken in, however often it is tried. */
export const historyFaults = {
  no_place: 'The phone named no place of it.',
  not_allowed: 'The phone named a place that is none of WhatsApp.',
  gone: 'WhatsApp no longer has it. Link the account again to have it sent anew.',
  broken: 'What WhatsApp has is not what the phone sealed.',
  malformed: 'It is no history.',
  too_large: 'It is larger than anything a phone sends.',
  unreachable: 'It did not come within a day.',
} as const satisfies Record<string, string>;
export type HistoryFault = keyof typeof historyFaults;

/** What became of the messages of a history. Their sum is the number of messages in it. */
export const historyCountNames = ['stored', 'known', 'acts', 'system', 'unreadable'] as const;
export type HistoryCounts = Readonly<Record<(typeof historyCountNames)[number] | 'chats', number>>;
export const NO_COUNTS: HistoryCounts = { stored: 0, known: 0, acts: 0, system: 0, unreadable: 0, chats: 0 };

export function addCounts(one: HistoryCounts, other: Partial<HistoryCounts>): HistoryCounts {
  const names = Object.keys(NO_COUNTS) as (keyof HistoryCounts)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + (other[name] ?? 0)])) as unknown as HistoryCounts;
}

/** A notice with what has become of it. */
export interface NoticeInHand extends RecordedNotice {
  readonly state: NoticeState;
  readonly fault?: HistoryFault | undefined;
  /** The number of its chats that are done: whoever goes on begins behind them. */
  readonly doneChats: number;
  readonly counts: HistoryCounts;
  readonly endedAtMs?: number | undefined;
}

/** The most bytes of a history that travels in its notice: a row has 400 KB. */
export const MOST_INLINE_BYTES = 300_000;

/** The id of a part of a history, of what makes it one. */
export function noticeIdOf(parts: {
  readonly type: HistoryType;
  readonly chunk: number;
  readonly sha256: string;
  readonly requestId?: string | undefined;
}): string {
  const { type, chunk, sha256, requestId = '' } = parts;
  return createHash('sha256')
    .update(JSON.stringify([type, chunk, sha256, requestId]))
    .digest('hex')
    .slice(0, 32);
}
