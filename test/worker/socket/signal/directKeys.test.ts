import { addTransactionCapability, Curve, type SignalDataSet, type SignalKeyStore } from '@whiskeysockets/baileys';
import { beforeEach, describe, expect, it } from 'vitest';
import { letThrough } from '../../../../worker/socket/signal/directKeys.ts';
import { silentLogger } from '../../../whatsapp/silentLogger.ts';

describe('keys in a transaction of Baileys', () => {
  let stored: Map<string, unknown>;
  let store: SignalKeyStore;
  let joined: ReturnType<typeof addTransactionCapability>;
  beforeEach(() => {
    stored = new Map();
    store = {
      get: async (type, ids) =>
        Object.fromEntries(
          ids.flatMap((id) => (stored.has(`${type}/${id}`) ? [[id, stored.get(`${type}/${id}`)]] : [])),
        ) as never,
      set: async (data) => {
        for (const [type, keys] of Object.entries(data)) {
          for (const [id, value] of Object.entries(keys)) stored.set(`${type}/${id}`, value);
        }
      },
    };
    joined = addTransactionCapability(store, silentLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 });
    letThrough(joined, store);
  });
  const preKey = Curve.generateKeyPair();

  it.each<readonly [what: string, data: SignalDataSet, isDurable: boolean]>([
    ['new pre-keys are durable at once', { 'pre-key': { '7': preKey } }, true],
    ['privacy tokens are durable at once', { tctoken: { a: { token: Buffer.from([1]) } } }, true],
    ['a pre-key that is used up waits for the session', { 'pre-key': { '7': null } }, false],
    ['addresses wait for the rest', { 'lid-mapping': { '49': '12' } }, false],
    ['pre-keys among others wait with them', { 'pre-key': { '7': preKey }, session: {} }, false],
  ])('%s', async (_what, data, isDurable) => {
    const [[type, keys] = ['', {}]] = Object.entries(data);
    const [id] = Object.keys(keys);
    let during = false;

    await joined.transaction(async () => {
      await joined.set(data);
      during = stored.has(`${type}/${id}`);
    }, 'send');

    expect(during).toBe(isDurable);
  });

  it('can read a pre-key that it has just made', async () => {
    const found = await joined.transaction(async () => {
      await joined.set({ 'pre-key': { '9': preKey } });
      return joined.get('pre-key', ['9']);
    }, 'request to repeat');

    expect(found['9']).toEqual(preKey);
  });
});
