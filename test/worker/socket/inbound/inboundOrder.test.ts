import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toCloseCause } from '../../../../worker/runner/closeRules.ts';
import { InboundOrder } from '../../../../worker/socket/inbound/inboundOrder.ts';
import { toSocketClose } from '../../../../worker/socket/port/toSocketClose.ts';

describe('a stanza in hand', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Baileys' side of it is `handle`. */
  const aConnection = (handle: () => unknown) => {
    const failures: unknown[] = [];
    const emitter = new EventEmitter();
    emitter.on('CB:message', handle);
    const order = new InboundOrder(emitter, (error) => void failures.push(error), { take: async () => undefined });
    order.insertBefore('CB:message', async () => undefined);
    return { order, failures, deliver: () => emitter.emit('CB:message', { tag: 'message', attrs: {} }) };
  };

  it('that Baileys does not finish in 45 s closes the socket as deaf, without the supervisor', async () => {
    const { order, failures, deliver } = aConnection(() => new Promise(() => undefined));

    deliver();
    await vi.advanceTimersByTimeAsync(44_999);
    const inTime = failures.length;
    await vi.advanceTimersByTimeAsync(1);
    await order.idle();

    expect(inTime).toBe(0);
    expect(failures.map((failure) => toCloseCause(toSocketClose(failure), 'linked'))).toEqual(['deaf']);
    expect(order.firstSinceMs).toBeUndefined();
  });

  it('whose handling fails for another reason keeps that reason', async () => {
    const problem = new Error('the store is away');
    const { order, failures, deliver } = aConnection(() => Promise.reject(problem));

    deliver();
    await order.idle();

    expect(failures).toEqual([problem]);
  });

  it('that is handled aside lets those behind it have their turn, and waits for others of its like alone', async () => {
    const handled: string[] = [];
    const first = Promise.withResolvers<void>();
    const emitter = new EventEmitter();
    const handle = async ({ attrs }: { readonly attrs: { readonly id: string } }): Promise<void> => {
      if (attrs.id === 'first') await first.promise;
      handled.push(attrs.id);
    };
    emitter.on('CB:receipt', handle as (stanza: unknown) => unknown);
    const order = new InboundOrder(emitter, () => undefined, { take: async () => undefined });
    order.insertBefore('CB:receipt', async ({ attrs }) =>
      attrs['id'] === 'other' ? undefined : { aside: (handle) => handle() },
    );

    for (const id of ['first', 'second', 'other']) emitter.emit('CB:receipt', { tag: 'receipt', attrs: { id } });
    await order.idle();
    const inTurn = [...handled];
    first.resolve();
    await order.settled();

    expect(inTurn).toEqual(['other']);
    expect(handled).toEqual(['other', 'first', 'second']);
  });
});
