import { afterEach, describe, expect, it, vi } from 'vitest';
import { SharedCaches } from '../../../../worker/socket/repairs/sharedCaches.ts';

const HOUR_MS = 3_600_000;

describe('caches that accounts share', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('shows an account its own entries alone, also under the same message id', async () => {
    const caches = new SharedCaches();
    const [ann, bob] = [caches.of('ann'), caches.of('bob')];

    await ann.msgRetryCounterCache.set('3A01', 4);
    await bob.msgRetryCounterCache.set('3A01', 1);
    await ann.callOfferCache.set('3A01', true);

    expect(await ann.msgRetryCounterCache.get('3A01')).toBe(4);
    expect(await bob.msgRetryCounterCache.get('3A01')).toBe(1);
    expect(await bob.callOfferCache.get('3A01')).toBeUndefined();
  });

  it('goes on counting requests to repeat over a reconnect', async () => {
    const caches = new SharedCaches();
    await caches.of('ann').msgRetryCounterCache.set('3A01', 5);

    const afterReconnect = await caches.of('ann').msgRetryCounterCache.get('3A01');

    expect(afterReconnect).toBe(5);
  });

  it('never holds more than its number, and forgets what was used least recently', async () => {
    const caches = new SharedCaches(100);
    const { callOfferCache } = caches.of('ann');

    for (let call = 0; call < 1_000; call += 1) await callOfferCache.set(`call ${call}`, call);

    expect(caches.size).toBe(100);
    expect(await callOfferCache.get('call 999')).toBe(999);
    expect(await callOfferCache.get('call 0')).toBeUndefined();
  });

  it('holds less of what strangers made large: ids, and what calls say', async () => {
    const caches = new SharedCaches(100);
    const { callOfferCache, msgRetryCounterCache } = caches.of('ann');
    const large = 'x'.repeat(10_240);

    for (let call = 0; call < 100; call += 1) await callOfferCache.set(`call ${call}`, { groupJid: large });
    const calls = await Promise.all(Array.from({ length: 100 }, (_, call) => callOfferCache.get(`call ${call}`)));
    for (let id = 0; id < 100; id += 1) await msgRetryCounterCache.set(`${id}${large}`, 1);
    const ids = await Promise.all(Array.from({ length: 100 }, (_, id) => msgRetryCounterCache.get(`${id}${large}`)));

    expect(calls.filter((call) => call !== undefined)).toHaveLength(9);
    expect(ids.filter((count) => count === 1)).toHaveLength(9);
  });

  it('forgets by age, without a timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    let nowMs = 1;
    const { msgRetryCounterCache, callOfferCache } = new SharedCaches(100, () => nowMs).of('ann');
    await msgRetryCounterCache.set('3A01', 1);
    await callOfferCache.set('call', {});

    nowMs += HOUR_MS / 2;
    const halfway = [await msgRetryCounterCache.get('3A01'), await callOfferCache.get('call')];
    nowMs += HOUR_MS;
    const [later, timers] = [await msgRetryCounterCache.get('3A01'), vi.getTimerCount()];

    expect(timers).toBe(0);
    expect(halfway).toEqual([1, undefined]);
    expect(later).toBeUndefined();
  });

  it('flushes one kind of one account', async () => {
    const caches = new SharedCaches();
    const [ann, bob] = [caches.of('ann'), caches.of('bob')];
    for (const { callOfferCache, msgRetryCounterCache } of [ann, bob]) {
      await callOfferCache.set('id', 1);
      await msgRetryCounterCache.set('id', 2);
    }

    await ann.callOfferCache.flushAll();

    expect(await ann.callOfferCache.get('id')).toBeUndefined();
    expect(await ann.msgRetryCounterCache.get('id')).toBe(2);
    expect(await bob.callOfferCache.get('id')).toBe(1);
  });
});
