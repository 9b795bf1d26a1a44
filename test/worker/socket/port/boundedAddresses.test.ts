import { addTransactionCapability, DEFAULT_CONNECTION_CONFIG, initAuthCreds } from '@whiskeysockets/baileys';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { boundAddresses } from '../../../../worker/socket/port/boundedAddresses.ts';
import { PlainAccount } from '../../../whatsapp/plainSocket.ts';
import { silentLogger } from '../../../whatsapp/silentLogger.ts';

const PAIRS = Array.from({ length: 300 }, (_, index) => ({
  lid: `${9_000 + index}@lid`,
  pn: `${4_915_100_000_000 + index}@s.whatsapp.net`,
}));

function aRepository() {
  const store = new PlainAccount().keys;
  const keys = addTransactionCapability(store, silentLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 });
  return DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: initAuthCreds(), keys }, silentLogger);
}

function remembered(repository: ReturnType<typeof aRepository>): number {
  return (repository.lidMapping as unknown as { mappingCache: { size: number } }).mappingCache.size;
}

describe('addresses that a socket remembers', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('holds no more than its number, without a timer, and finds the others in the session', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    const repository = aRepository();
    boundAddresses(repository, 100);

    await repository.lidMapping.storeLIDPNMappings(PAIRS);
    const [held, timers] = [remembered(repository), vi.getTimerCount()];
    const found = await Promise.all(PAIRS.map(({ pn }) => repository.lidMapping.getLIDForPN(pn)));

    expect(held).toBeLessThanOrEqual(100);
    expect(timers).toBe(0);
    expect(found).toEqual(PAIRS.map(({ lid }) => lid));
  });

  it('is needed: Baileys by itself keeps every address, with a timer for each', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
    const repository = aRepository();

    await repository.lidMapping.storeLIDPNMappings(PAIRS);

    expect(remembered(repository)).toBe(PAIRS.length * 2);
    expect(vi.getTimerCount()).toBeGreaterThanOrEqual(PAIRS.length * 2);
  });

  it('throws when Baileys keeps them elsewhere', () => {
    const changed = { lidMapping: {} } as unknown as Parameters<typeof boundAddresses>[0];

    const bound = (): void => boundAddresses(changed);

    expect(bound).toThrow('remembers addresses in another way');
  });
});
