import type { SentMessage } from '../message/message.ts';
import type { BulkSend } from './bulkSend.ts';
import type { BulkLineStore } from './bulkLineStore.ts';
import { messageOfLine } from './messageOfLine.ts';
import { PAGE_BYTES } from '../platform/pages.ts';

/**
 * Reads a page of a bulk send's messages, in the order of its lines: a line that is no message yet, or never will be, is shown as
 * the message that it would be. `next` is the line where the next page begins.
 */
export async function listBulkMessages(
  { bulkLines }: { readonly bulkLines: Pick<BulkLineStore, 'read' | 'messages'> },
  bulk: BulkSend,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<{ readonly messages: readonly SentMessage[]; readonly next: number | undefined }> {
  const until = Math.min(from + limit, bulk.total);
  if (from >= until) return { messages: [], next: undefined };
  const made = new Map<number, SentMessage>();
  for await (const message of bulkLines.messages(bulk, from, until)) made.set(message.line ?? -1, message);
  const lines = made.size === until - from ? [] : await bulkLines.read(bulk, from, until);
  const state = bulk.state === 'cancelled' || bulk.state === 'expired' ? bulk.state : 'scheduled';
  const messages: SentMessage[] = [];
  let bytes = 0;
  for (let line = from; line < until; line++) {
    const kept = lines[line - from];
    const message =
      made.get(line) ??
      (kept && messageOfLine(bulk, line, kept, { state, atMs: bulk.notBeforeMs ?? bulk.createdAtMs }));
    if (message === undefined) continue;
    bytes += Buffer.byteLength(JSON.stringify(message));
    if (messages.length > 0 && bytes > PAGE_BYTES) return { messages, next: line };
    messages.push(message);
  }
  return { messages, next: until < bulk.total ? until : undefined };
}
