import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deriveMessageId, type MessageId, type StanzaId } from '../../../shared/kernel/id.ts';
import { messageKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { receivedMessageItem } from '../../../shared/message/messageWrites.ts';
import { ReceivedMessages } from '../../../shared/message/receivedMessages.ts';
import { aSentMessage, newIds, startEventStores, type EventStores } from '../event/eventStores.ts';

const AT_MS = Date.UTC(2026, 7, 1, 12);
const [ADA, BEN] = ['904915111111111@lid', '904915222222222@lid'];
const ADAS_NUMBER = '4915111111111@s.whatsapp.net';

describe('received messages that are to be marked', () => {
  let stores: EventStores;
  let ids: ReturnType<typeof newIds>;
  let messages: ReceivedMessages;
  let count = 0;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  beforeEach(() => {
    ids = newIds();
    messages = new ReceivedMessages(stores, ids.connectionId);
  });
  afterAll(() => stores.stop());

  const put = (Item: Readonly<Record<string, unknown>>) =>
    stores.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: { ...Item } }));
  const receive = async (chat: string, overrides: Partial<ReceivedMessage> = {}): Promise<MessageId> => {
    count += 1;
    const stanzaId = `S${count}` as StanzaId;
    const messageId = deriveMessageId(ids.connectionId, { chat, sender: chat, stanzaId, timestampMs: AT_MS + count });
    const content = { type: 'text', text: { body: 'a' } } as const;
    const message = { ...ids, messageId, stanzaId, direction: 'in', chat, sender: chat, content } as const;
    const rest = { senderName: undefined, flags: undefined, createdAtMs: AT_MS + count };
    await put(receivedMessageItem({ ...message, ...rest, ...overrides }, AT_MS));
    return messageId;
  };
  const listUpTo = async (messageId: MessageId, most = 100): Promise<unknown> => {
    const found = await messages.listUpTo(messageId, most);
    return typeof found === 'string' ? found : found.map((message) => message.messageId);
  };

  it('are those of the chat alone, newest first, by any name of it, and no later ones', async () => {
    const first = await receive(ADA);
    await receive(BEN);
    const byNumber = await receive(ADAS_NUMBER, { chatAlias: ADA });
    await receive(ADA, { direction: 'echo' });
    const named = await receive(ADA);
    await receive(ADA);

    expect(await listUpTo(named)).toEqual([named, byNumber, first]);
    expect(await listUpTo(named, 2)).toEqual([named, byNumber]);
    expect(await listUpTo(named, 1)).toEqual([named]);
  });

  it('end at the last one of the chat that was marked', async () => {
    await receive(ADA);
    const marked = await receive(ADA);
    const other = await receive(BEN);
    const between = await receive(ADA);
    const named = await receive(ADA);

    await messages.noteMarked(marked, AT_MS);
    await messages.noteMarked(other, AT_MS);

    expect(await listUpTo(named)).toEqual([named, between]);
  });

  it('are looked for among the last 500 alone', async () => {
    const old = await receive(ADA);
    const old2 = await receive(ADA);
    for (let made = 0; made < 499; made += 25) {
      await Promise.all(Array.from({ length: Math.min(25, 499 - made) }, () => receive(BEN)));
    }
    const named = await receive(ADA);

    expect(await listUpTo(named)).toEqual([named, old2]);
    expect(await listUpTo(old2)).toEqual([old2, old]);
  });

  it('are none where the message is unknown, or our own', async () => {
    const sent = aSentMessage(ids);
    await put({ ...messageKey(ids.connectionId, sent.messageId), ...sent });

    expect(await listUpTo('msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' as MessageId)).toBe('missing');
    expect(await listUpTo(sent.messageId)).toBe('not_received');
  });

  it('are not made by marking one that is gone', async () => {
    const unknown = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' as MessageId;

    await messages.noteMarked(unknown, AT_MS);

    expect(await listUpTo(unknown)).toBe('missing');
  });
});
