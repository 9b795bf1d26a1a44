import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { OwnershipLostError } from '../../../worker/session/sessionErrors.ts';
import { Sessions, TABLE } from './sessions.ts';

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

  it('of a pairing are stored whole or not at all: nobody logs in with half of them', async () => {
    const dying = await sessions.owner(1);
    await dying.raiseEpoch();
    await (await sessions.owner(2)).raiseEpoch();

    await expect(dying.storeNewCredentials(CREDENTIALS)).rejects.toThrow(OwnershipLostError);

    expect(Object.keys(await versions())).toEqual(['CREDENTIALS']);
    expect((await sessions.owner(3)).isPaired).toBe(false);
  });

  it('are stored beside an account that a root which was put back has forgotten', async () => {
    const session = await sessions.owner(1);
    await session.raiseEpoch();
    const [before] = await sessions.items();
    await session.storeNewCredentials(CREDENTIALS);
    await sessions.table().send(new PutCommand({ TableName: TABLE, Item: before }));

    const next = await sessions.owner(2);
    const isPaired = next.isPaired;
    await next.storeNewCredentials({ ...CREDENTIALS, nextPreKeyId: 5 });

    expect(isPaired).toBe(false);
    expect((await sessions.owner(3)).credentials).toEqual({ ...CREDENTIALS, nextPreKeyId: 5 });
    expect((await versions())['C0001#ACCOUNT']).toBe(2);
  });

  it('count as the raise of the epoch for the login that follows on a pairing, once, and not for long', async () => {
    let skippedMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + skippedMs };
    const session = await sessions.owner(1, { clock });
    const written = async (): Promise<number> => Number((await versions())['CREDENTIALS']);
    const raises: number[] = [];
    const raise = async (): Promise<void> => {
      const before = await written();
      await session.raiseEpoch();
      raises.push((await written()) - before);
    };
    await session.storeNewCredentials(CREDENTIALS);
    await raise();
    await raise();
    await session.raiseEpochAhead();
    skippedMs = 10_000;
    await raise();

    expect(raises).toEqual([0, 1, 1]);
  });
});
