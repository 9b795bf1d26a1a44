import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { OwnershipLostError } from '../../../worker/session/sessionErrors.ts';
import { Sessions } from './sessions.ts';

const CREDENTIALS = {
  noiseKey: { private: Buffer.alloc(32, 1), public: Buffer.alloc(32, 2) },
  account: { details: Buffer.alloc(100, 3) },
  me: { id: '1@s.whatsapp.net' },
  nextPreKeyId: 1,
};

describe('credentials', () => {
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = await Sessions.start();
  });
  afterAll(() => sessions.stop());
  beforeEach(() => sessions.next());
  const versions = async () =>
    Object.fromEntries((await sessions.items()).map(({ sk, version }) => [String(sk), Number(version)]));

  it('are an update of an item that is there before: an older owner cannot pair after a newer one has come', async () => {
    const older = await sessions.owner(1);
    const newer = await sessions.owner(2);
    await newer.raiseEpoch();

    await expect(older.storeNewCredentials(CREDENTIALS)).rejects.toThrow(OwnershipLostError);
    await expect(older.storeNewCredentials(CREDENTIALS)).rejects.toThrow(OwnershipLostError);

    expect((await sessions.owner(2)).isPaired).toBe(false);
    await newer.storeNewCredentials(CREDENTIALS);
    expect((await sessions.owner(3)).credentials).toEqual(CREDENTIALS);
  });

  it('write what a pairing fixed once, and what changes in an item of its own', async () => {
    const session = await sessions.owner(1);
    await session.storeNewCredentials(CREDENTIALS);
    const before = await versions();
    await session.saveCredentials({ ...CREDENTIALS, nextPreKeyId: 813 });
    await session.saveCredentials({ ...CREDENTIALS, nextPreKeyId: 813 });
    const after = await versions();

    expect([before['C0001#ACCOUNT'], after['C0001#ACCOUNT']]).toEqual([1, 1]);
    expect(Number(after['CREDENTIALS']) - Number(before['CREDENTIALS'])).toBe(1);
    expect((await sessions.owner(2)).credentials).toEqual({ ...CREDENTIALS, nextPreKeyId: 813 });
  });

  it('write also what was taken for fixed, if it changes', async () => {
    const session = await sessions.owner(1);
    await session.storeNewCredentials(CREDENTIALS);
    await session.saveCredentials({ ...CREDENTIALS, platform: 'android' });

    expect((await sessions.owner(2)).credentials).toEqual({ ...CREDENTIALS, platform: 'android' });
  });

  it('let what WhatsApp would tell again wait half a minute, or for the next write', async () => {
    const waits: number[] = [];
    let end: () => void = () => undefined;
    const clock: Clock = {
      ...systemClock,
      sleep: (durationMs, signal) => {
        if (durationMs < 10_000) return systemClock.sleep(durationMs, signal);
        waits.push(durationMs);
        return new Promise((resolve) => (end = resolve));
      },
    };
    const session = await sessions.owner(1, { clock });
    await session.storeNewCredentials(CREDENTIALS);
    const before = await versions();
    await session.saveCredentials({ ...CREDENTIALS, routingInfo: Buffer.from([1]) });
    await session.saveCredentials({ ...CREDENTIALS, routingInfo: Buffer.from([2]) });
    const waiting = await versions();
    const seen = session.credentials;
    end();
    while ((await versions())['CREDENTIALS'] === before['CREDENTIALS']) await systemClock.sleep(5);

    expect(waiting).toEqual(before);
    expect(waits).toEqual([30_000]);
    expect(seen).toEqual({ ...CREDENTIALS, routingInfo: Buffer.from([2]) });
    expect((await sessions.owner(2)).credentials).toEqual({ ...CREDENTIALS, routingInfo: Buffer.from([2]) });
  });

  it('write what waits before the connection is given away', async () => {
    const session = await sessions.owner(1);
    await session.storeNewCredentials(CREDENTIALS);
    await session.saveCredentials({ ...CREDENTIALS, lastPropHash: 'abc' });
    await session.flush();

    expect((await sessions.owner(2)).credentials).toEqual({ ...CREDENTIALS, lastPropHash: 'abc' });
  });

  it('survive a pairing that died half-way: the next one succeeds, and nobody logs in with the half', async () => {
    const dying = await sessions.owner(1);
    await dying.raiseEpoch();
    const table = sessions.table();
    const send = table.send.bind(table) as (command: unknown, options: unknown) => Promise<unknown>;
    let puts = 0;
    table.send = (async (command: unknown, options: unknown) => {
      if ((command as object).constructor.name === 'PutCommand' && (puts += 1) > 1) throw new OwnershipLostError('x');
      return send(command, options);
    }) as typeof table.send;
    const half = await sessions.owner(1, { table });
    await expect(half.storeNewCredentials(CREDENTIALS)).rejects.toThrow(OwnershipLostError);

    const next = await sessions.owner(2);
    const isPaired = next.isPaired;
    await next.storeNewCredentials({ ...CREDENTIALS, nextPreKeyId: 5 });

    expect(isPaired).toBe(false);
    expect((await sessions.owner(3)).credentials).toEqual({ ...CREDENTIALS, nextPreKeyId: 5 });
  });
});
