import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../../shared/message/message.ts';
import { newIds } from '../../../shared/event/eventStores.ts';
import { historyParts } from '../historyParts.ts';
import { bytesOf, HistoryRoom } from './historyRoom.ts';

const CHATS = 500;
const MESSAGES = 100;

/** A store that counts the units that its writes cost, and whose process may die after so many calls. */
function metered(table: DynamoDBDocumentClient, survived = Infinity) {
  const spent = { writeUnits: 0, calls: 0 };
  const send = async (command: { readonly constructor: { readonly name: string }; readonly input: object }) => {
    spent.calls += 1;
    if (spent.calls > survived) throw new Error('the process is dead');
    Object.assign(command.input, { ReturnConsumedCapacity: 'TOTAL' });
    const answer = (await table.send(command as never)) as { readonly ConsumedCapacity?: unknown };
    const isWrite = /^(?:Put|Update|Delete|BatchExecute|BatchWrite)/.test(command.constructor.name);
    const consumed = [answer.ConsumedCapacity ?? []].flat() as readonly { readonly CapacityUnits?: number }[];
    if (isWrite) for (const { CapacityUnits = 0 } of consumed) spent.writeUnits += CapacityUnits;
    return answer;
  };
  return { table: new Proxy(table, { get: (on, name) => (name === 'send' ? send : Reflect.get(on, name)) }), spent };
}

describe('a history of 50,000 messages in 500 chats', () => {
  const room = new HistoryRoom();

  it('is there once after three kills, for less than a write unit a message', async () => {
    const ids = newIds();
    const noticeId = await room.record(ids, room.atHost(bytesOf({ made: { chats: CHATS, messages: MESSAGES } })));
    const began = performance.now();
    let writeUnits = 0;
    for (const survived of [700, 1_500, 4_000]) {
      const { table, spent } = metered(room.stack.table, survived);
      const parts = { ...historyParts({ ...room.stack, table }), table };
      await expect(room.run(ids, noticeId, parts)).rejects.toThrow('the process is dead');
      writeUnits += spent.writeUnits;
    }
    const { table, spent } = metered(room.stack.table);
    await room.run(ids, noticeId, { ...historyParts({ ...room.stack, table }), table });
    writeUnits += spent.writeUnits;
    const minutes = (performance.now() - began) / 60_000;

    const { state, counts } = await room.notice(ids, noticeId);
    expect([state, counts.chats, counts.stored + counts.known]).toEqual(['done', CHATS, CHATS * MESSAGES]);
    const seen = new Set<string>();
    for (let chat = 0; chat < CHATS; chat += 1) {
      const digits = String(30_000 + chat).padStart(6, '0');
      const found: readonly Message[] = await room.messagesOf(
        ids,
        [`77000${digits}@lid`, `4917000${digits}@s.whatsapp.net`],
        100,
      );
      expect(found.length).toBe(MESSAGES);
      for (const { messageId } of found) seen.add(messageId);
    }
    expect(seen.size).toBe(CHATS * MESSAGES);
    const perMessage = writeUnits / (CHATS * MESSAGES);
    process.stdout.write(
      `history: ${CHATS * MESSAGES} messages, ${writeUnits} write units (${perMessage.toFixed(2)} a message), ` +
        `${minutes.toFixed(1)} minutes\n`,
    );
    expect(perMessage).toBeGreaterThan(0);
    expect(perMessage).toBeLessThan(1);
  });
});
