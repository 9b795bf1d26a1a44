import { afterAll, beforeAll } from 'vitest';
import { FileSource } from '../../../../functions/media/fileSource.ts';
import { handleHistoryJob, type HistoryJobDependencies } from '../../../../functions/media/history/handleHistoryJob.ts';
import { listChatMessages } from '../../../../functions/routes/chatMessages.ts';
import { ChatStore } from '../../../../shared/chat/chatStore.ts';
import type { HistoryPolicy } from '../../../../shared/connection/historyPolicy.ts';
import { LiveCopies } from '../../../../shared/history/liveCopies.ts';
import { noticeIdOf, type HistoryPlace, type HistoryType } from '../../../../shared/history/historyNotice.ts';
import { NoticeStore } from '../../../../shared/history/noticeStore.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import type { CorrelationId, MessageId } from '../../../../shared/kernel/id.ts';
import type { Message } from '../../../../shared/message/message.ts';
import { MessagesOfChats } from '../../../../shared/message/messagesOfChats.ts';
import { PastMessages } from '../../../../shared/message/pastMessages.ts';
import { deflateSync } from 'node:zlib';
import type { newIds } from '../../../shared/event/eventStores.ts';
import { seal } from '../../../shared/media/sealed.ts';
import { chatsOf, historySchema, toHistory, type HistoryBody } from '../../../whatsapp/history.ts';
import { aRecord, startQueueStack, type QueueStack } from '../../queueStack.ts';
import { FileHost, giving } from '../fileHost.ts';
import { historyParts } from '../historyParts.ts';

export const OWN = { phoneJid: '4915100000001@s.whatsapp.net', lid: '100@lid' };
type Ids = ReturnType<typeof newIds>;

/** Emulators and a host of files, with a phone's histories on them. */
export class HistoryRoom {
  stack!: QueueStack;
  host!: FileHost;
  source!: FileSource;
  #files = 0;

  constructor() {
    beforeAll(async () => {
      [this.stack, this.host] = await Promise.all([startQueueStack(), FileHost.start()]);
      this.source = new FileSource({ origin: this.host.origin });
    });
    afterAll(async () => {
      await this.source.close();
      await Promise.all([this.stack.stop(), this.host.stop()]);
    });
  }

  /** The place of a history, sealed at the host of files. */
  atHost(history: Uint8Array, change: (sealed: Buffer) => Buffer = (sealed) => sealed): HistoryPlace {
    const { sealed, key, sha256 } = seal(deflateSync(history), 'WhatsApp History Keys');
    const path = `/v/t62.36146-24/${(this.#files += 1)}.enc?ccb=11-4`;
    this.host.behave(path, giving(change(Buffer.from(sealed))));
    return { file: { path, key, sha256, use: 'history' } };
  }

  /** Records a notice, as the worker does. */
  async record(
    ids: Ids,
    place: HistoryPlace,
    given: {
      readonly type?: HistoryType;
      readonly chunk?: number;
      readonly policy?: HistoryPolicy;
      progress?: number;
    } = {},
  ): Promise<string> {
    const { type = 'recent', chunk = 1, policy = 'recent', progress = 100 } = given;
    const noticeId = noticeIdOf({ type, chunk, sha256: `${(this.#files += 1)}` });
    const correlationId = 'cor-of-test' as CorrelationId;
    const shard = 0;
    const notice = { ...ids, noticeId, type, chunk, policy, progress, place, own: OWN, correlationId, shard };
    await new NoticeStore(this.stack).record({ ...notice, recordedAtMs: Date.now() });
    return noticeId;
  }

  parts(given: Partial<HistoryJobDependencies> = {}): HistoryJobDependencies {
    return { ...this.stack, ...historyParts(this.stack), clock: systemClock, source: this.source, ...given };
  }

  run(ids: Ids, noticeId: string, given: Partial<HistoryJobDependencies> = {}, count = 1) {
    const record = aRecord('{}');
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(count) };
    const job = {
      version: 1,
      kind: 'history',
      tenantId: ids.tenantId,
      connectionId: ids.connectionId,
      noticeId,
    } as const;
    return handleHistoryJob(this.parts(given), job, { ...record, attributes });
  }

  /** Records a history that a phone gives and takes it in. Returns what its row says then. */
  async takeIn(ids: Ids, body: HistoryBody, given: Parameters<HistoryRoom['record']>[2] = {}) {
    const noticeId = await this.record(ids, this.atHost(bytesOf(body)), given);
    await this.run(ids, noticeId);
    return this.notice(ids, noticeId);
  }

  async notice({ connectionId }: Ids, noticeId: string) {
    const found = await new NoticeStore(this.stack).find(connectionId, noticeId, Date.now());
    if (found === undefined) throw new Error('there is no such notice');
    return found;
  }

  /** All messages of a chat, the newest first, page by page. */
  async messagesOf(ids: Ids, addresses: readonly string[], limit = 7): Promise<readonly Message[]> {
    const parts = {
      messagesOfChats: new MessagesOfChats(this.stack),
      past: new PastMessages(this.stack),
      live: new LiveCopies(this.stack),
    };
    const found: Message[] = [];
    let before: MessageId | undefined;
    do {
      const page = await listChatMessages(parts, ids, addresses, { before, limit, nowMs: Date.now() });
      found.push(...page.messages);
      before = page.next;
    } while (before !== undefined);
    return found;
  }

  chat({ connectionId }: Ids, id: string) {
    return new ChatStore(this.stack).find(connectionId, id, Date.now());
  }
}

export function bytesOf(body: HistoryBody): Uint8Array {
  const read = historySchema.parse(body);
  return toHistory(read, chatsOf(read, Date.now()));
}

export const textsOf = (messages: readonly Message[]): readonly string[] =>
  messages.map(({ content }) => (content.type === 'text' ? content.text.body : content.type));
