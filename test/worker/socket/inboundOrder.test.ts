import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toCloseCause } from '../../../worker/runner/closeRules.ts';
import { InboundOrder } from '../../../worker/socket/inboundOrder.ts';
import { toSocketClose } from '../../../worker/socket/toSocketClose.ts';

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
});
