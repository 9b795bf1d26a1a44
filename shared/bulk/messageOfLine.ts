import type { SentMessage } from '../message/message.ts';
import { idsOfLine, type BulkSend } from './bulkSend.ts';
import type { BulkLine } from './bulkLines.ts';

/** The message that a line becomes, without what chance gives it. @param atMs when it becomes one */
export function messageOfLine(
  bulk: BulkSend,
  line: number,
  { expiresAtMs, ...settled }: BulkLine,
  { state, atMs }: { readonly state: SentMessage['state']; readonly atMs: number },
): SentMessage {
  const { tenantId, connectionId, bulkSendId, correlationId, createdAtMs } = bulk;
  const endsMs = Math.min(expiresAtMs ?? Infinity, bulk.expiresAtMs ?? Infinity);
  return {
    ...idsOfLine(bulk, line, 0),
    tenantId,
    connectionId,
    direction: 'out',
    ...settled,
    bulkSendId,
    line,
    state,
    // It has waited for this moment: a worker never takes it for one that came too late to the queue.
    notBeforeMs: atMs,
    expiresAtMs: endsMs === Infinity ? undefined : endsMs,
    error: undefined,
    correlationId,
    attempts: 0,
    createdAtMs,
    ...(state === 'cancelled' ? { endedAtMs: atMs } : {}),
    sentAtMs: undefined,
    deliveredAtMs: undefined,
    readAtMs: undefined,
  };
}
