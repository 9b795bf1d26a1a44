import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FairTurns } from '../../../../worker/socket/port/fairTurns.ts';
import { InboundOrder } from '../../../../worker/socket/inbound/inboundOrder.ts';

const STANZAS = 500;

function aConnection(turns: FairTurns, onHandled: (id: string) => void) {
  const emitter = new EventEmitter();
  emitter.on('CB:message', ({ attrs }: { attrs: Record<string, string> }) => onHandled(attrs['id'] ?? ''));
  const order = new InboundOrder(
    emitter,
    (error) => {
      throw error;
    },
    turns,
  );
  order.insertBefore('CB:message', async () => undefined);
  return { order, deliver: (id: string) => emitter.emit('CB:message', { tag: 'message', attrs: { id } }) };
}

describe('turns on the event loop', () => {
  it('lets the event loop go on between the stanzas of a burst', async () => {
    const handled: string[] = [];
    const { order, deliver } = aConnection(new FairTurns(), (id) => handled.push(id));
    for (let stanza = 0; stanza < STANZAS; stanza += 1) deliver(String(stanza));

    let turns = 0;
    while (handled.length < STANZAS) {
      await nextTurn();
      turns += 1;
    }

    await order.idle();
    expect(turns).toBeGreaterThanOrEqual(STANZAS - 1);
  });

  it('hands a stanza of another connection on while a burst waits', async () => {
    const handled: string[] = [];
    const turns = new FairTurns();
    const busy = aConnection(turns, (id) => handled.push(`busy ${id}`));
    const other = aConnection(turns, (id) => handled.push(`other ${id}`));
    for (let stanza = 0; stanza < STANZAS; stanza += 1) busy.deliver(String(stanza));
    other.deliver('one');

    await other.order.idle();

    expect(handled.indexOf('other one')).toBeLessThan(5);
    await busy.order.idle();
    expect(handled.length).toBe(STANZAS + 1);
  });

  it('begins no more than its number in one turn, in the order in which they came', async () => {
    const turns = new FairTurns(2);
    const begun: number[] = [];
    for (const each of [1, 2, 3, 4, 5]) void turns.take().then(() => begun.push(each));

    const seen: number[] = [];
    while (begun.length < 5) {
      await nextTurn();
      seen.push(begun.length);
    }

    expect(begun).toEqual([1, 2, 3, 4, 5]);
    expect(seen.every((count, at) => count - (seen[at - 1] ?? 0) <= 2)).toBe(true);
  });
});
