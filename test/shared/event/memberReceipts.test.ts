import { BatchExecuteStatementCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { receiptKey } from '../../../shared/event/facts/receiptFact.ts';
import { STATUS } from '../../../shared/kernel/jid.ts';
import { listReceipts, toMemberReceipts, type ReceiptState } from '../../../shared/message/memberReceipts.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import type { NewMessage } from '../../../shared/message/newMessages.ts';
import { queryItems } from '../../../shared/platform/pages.ts';
import { receiptsKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { aBatch, aSentMessage, newIds, startEventStores, type EventStores } from './eventStores.ts';
import { recordFacts } from './recordFacts.ts';

const GROUP = '120363000000000001@g.us';
const AT_MS = Date.UTC(2026, 7, 1, 12, 0, 5);

describe('receipts of the members of a group', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  const aMessage = async ({ audience, ...overrides }: Partial<NewMessage>): Promise<SentMessage> => {
    const message = aSentMessage(newIds(), { to: GROUP, state: 'sent', sentAtMs: AT_MS, ...overrides });
    await stores.messages.create({ ...message, audience }, 0);
    return message;
  };
  const aReceipt = ({ stanzaId }: SentMessage, member: number, state: ReceiptState): Fact => {
    const recipient = `9049${100_000 + member}@lid`;
    const key = receiptKey({ stanzaId, recipient, state });
    return { kind: 'receipt', key, atMs: AT_MS + member * 1_000, stanzaId, chat: GROUP, recipient, state };
  };
  const told = async ({ tenantId }: SentMessage): Promise<readonly unknown[]> => {
    const { events } = await readEvents(stores, tenantId, undefined, 100);
    return events.map(({ data }) => {
      const { status, members } = data as { readonly status?: string; readonly members?: object };
      return [status, members];
    });
  };
  const rowOf = async ({ connectionId, messageId }: SentMessage) => {
    const { pk, sk } = receiptsKey(connectionId, messageId);
    const input = {
      TableName: tableName('test', 'core'),
      KeyConditionExpression: 'pk = :pk AND sk = :sk',
      ExpressionAttributeValues: { ':pk': pk, ':sk': sk },
    };
    for await (const item of queryItems(stores.table, input)) return item;
    return undefined;
  };
  const stateOf = async ({ connectionId, messageId }: SentMessage): Promise<string | undefined> => {
    const message = await stores.messages.find(connectionId, messageId);
    return message?.direction === 'out' ? message.state : undefined;
  };
  /** The stores, with each write counted by the kind of its row. */
  const counted = () => {
    const writes: string[] = [];
    const table = Object.create(stores.table) as typeof stores.table;
    table.send = (async (command: Parameters<typeof stores.table.send>[0]) => {
      if (command instanceof PutCommand) writes.push(String(command.input.Item?.['sk']).split('#')[0] ?? '');
      if (command instanceof UpdateCommand) writes.push(String(command.input.Key?.['sk']).split('#')[0] ?? '');
      if (command instanceof BatchExecuteStatementCommand) {
        for (const { Parameters } of command.input.Statements ?? []) {
          const sk = Parameters?.find((value) => /^(?:RECEIPTS|MESSAGE)#/.test(String(value)));
          writes.push(String(sk).split('#')[0] ?? '');
        }
      }
      return stores.table.send(command as never);
    }) as typeof stores.table.send;
    return { ...stores, table, writes };
  };

  it('move the message with the slowest of them, once for each state', async () => {
    const message = await aMessage({ members: 3 });

    await recordFacts(
      stores,
      aBatch(
        message,
        [1, 2].map((member) => aReceipt(message, member, 'delivered')),
      ),
    );
    const before = [await stateOf(message), await told(message)];
    await recordFacts(stores, aBatch(message, [aReceipt(message, 3, 'delivered'), aReceipt(message, 3, 'read')], 'b2'));
    await recordFacts(
      stores,
      aBatch(
        message,
        [1, 2].map((member) => aReceipt(message, member, 'read')),
        'b3',
      ),
    );
    await recordFacts(stores, aBatch(message, [aReceipt(message, 1, 'played')], 'b4'));

    expect(before).toEqual(['sent', []]);
    expect(await stateOf(message)).toBe('read');
    expect(await told(message)).toEqual([
      ['delivered', { total: 3, delivered: 3, read: 0, played: 0 }],
      ['read', { total: 3, delivered: 3, read: 3, played: 0 }],
    ]);
  });

  it('move the message with the first of them where that is asked for, and note the others all the same', async () => {
    const message = await aMessage({ members: 3, statusBy: 'first' });

    await recordFacts(stores, aBatch(message, [aReceipt(message, 1, 'delivered'), aReceipt(message, 2, 'delivered')]));
    await recordFacts(stores, aBatch(message, [aReceipt(message, 3, 'delivered')], 'b2'));

    expect(await told(message)).toEqual([['delivered', { total: 3, delivered: 1, read: 0, played: 0 }]]);
    expect(toMemberReceipts(await rowOf(message)).delivered).toBe(3);
  });

  it('of one batch are one write for each message, and none where they say nothing new', async () => {
    const [message, other] = [await aMessage({ members: 200 }), await aMessage({ members: 200 })];
    const all = Array.from({ length: 99 }, (_, member) => aReceipt(message, member, 'delivered'));
    const first = counted();
    const again = counted();

    await recordFacts(first, aBatch(message, all));
    await recordFacts(again, aBatch(message, all.slice(0, 50), 'b2'));
    await recordFacts(stores, aBatch(other, [aReceipt(other, 1, 'read')]));

    expect(first.writes).toEqual(['RECEIPTS']);
    expect(again.writes).toEqual([]);
    const receipts = listReceipts(toMemberReceipts(await rowOf(message)), message.createdAtMs);
    expect(receipts).toHaveLength(99);
    expect(receipts[3]).toEqual({
      recipient: { id: '9049100003@lid', lid: '9049100003@lid' },
      deliveredAtMs: AT_MS + 3_000,
    });
  });

  it('are told once when the process dies between the rows and the page', async () => {
    const message = await aMessage({ members: 2 });
    const batch = aBatch(message, [aReceipt(message, 1, 'read'), aReceipt(message, 2, 'read')]);
    const dying = counted();
    const send = dying.table.send.bind(dying.table);
    dying.table.send = (async (command: Parameters<typeof stores.table.send>[0]) => {
      const isPage = command instanceof PutCommand && String(command.input.Item?.['pk']).startsWith('EVENTS#');
      if (isPage) throw new Error('the process is gone');
      return send(command as never);
    }) as typeof stores.table.send;

    await expect(recordFacts(dying, batch)).rejects.toThrow('the process is gone');
    const between = await told(message);
    await recordFacts(stores, batch);
    await recordFacts(stores, batch);

    expect(between).toEqual([]);
    expect(await told(message)).toEqual([['read', { total: 2, delivered: 2, read: 2, played: 0 }]]);
    expect(await stateOf(message)).toBe('read');
  });

  it('of a status are those of its viewers alone, whoever else knows its id', async () => {
    const viewers = [1, 2].map((member) => `9049${100_000 + member}@lid`);
    const status = { to: STATUS, members: 2, audience: viewers };
    const [message, foreign] = [await aMessage(status), await aMessage({ to: STATUS, members: 1 })];
    const word = (of: SentMessage, member: number, chat = STATUS): Fact =>
      ({ ...aReceipt(of, member, 'read'), chat }) as Fact;

    await recordFacts(
      stores,
      aBatch(message, [word(message, 3), word(message, 1, GROUP), word(message, 1, viewers[0])]),
    );
    const before = [await stateOf(message), toMemberReceipts(await rowOf(message)).read];
    await recordFacts(stores, aBatch(message, [word(message, 1), word(message, 2)], 'b2'));
    await recordFacts(stores, aBatch(foreign, [word(foreign, 1)]));

    expect(before).toEqual(['sent', 0]);
    expect([await stateOf(message), await stateOf(foreign)]).toEqual(['read', 'sent']);
    expect(await told(message)).toEqual([['read', { total: 2, delivered: 2, read: 2, played: 0 }]]);
    expect(await rowOf(message)).toMatchObject({ isAudience: true, version: 2 });
  });

  it('of two writers at once are all there', async () => {
    const message = await aMessage({ members: 40 });
    const batches = Array.from({ length: 4 }, (_, place) =>
      aBatch(
        message,
        Array.from({ length: 10 }, (_each, member) => aReceipt(message, place * 10 + member, 'delivered')),
        `b${place}`,
      ),
    );

    for (;;) {
      const outcomes = await Promise.allSettled(batches.map((batch) => recordFacts(stores, batch)));
      if (outcomes.every(({ status }) => status === 'fulfilled')) break;
    }

    expect(toMemberReceipts(await rowOf(message)).delivered).toBe(40);
    expect(await told(message)).toEqual([['delivered', { total: 40, delivered: 40, read: 0, played: 0 }]]);
  });
});
