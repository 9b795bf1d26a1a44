import type { AuthenticationCreds } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { CredentialSaves } from '../../../../worker/socket/signal/credentialSaves.ts';
import { until } from '../../../whatsapp/until.ts';
import { makeSwitchGate } from '../../fleet/gates.ts';
import { ANN, SocketRoom } from '../socketRoom.ts';

/** Long enough for a frame to come and go on loopback several times. */
const A_WHILE_MS = 300;

describe.each([
  ['the credentials that count them', (sk: string) => sk === 'CREDENTIALS'],
  ['the items that hold them', (sk: string) => sk.endsWith('#PREKEYS#000000')],
] as const)('pre-keys of a first login, while the store takes its time with %s,', (_what, isSlow) => {
  let room: SocketRoom;
  let mayWrite: PromiseWithResolvers<void>;
  /** Writes that wait. */
  let waiting: number;
  beforeEach(async () => {
    room = await SocketRoom.start();
    mayWrite = Promise.withResolvers();
    waiting = 0;
    room.open(await room.session(), { method: 'qr' });
    const { offer } = await room.input('pairing_offered');
    await room.client.scan(ANN, offer.method === 'qr' ? offer.qr : '');
    await room.input('socket_closed');
    const session = await room.session();
    await session.raiseEpoch();
    room.beforeWrite = async ({ sk }) => {
      if (!isSlow(sk)) return;
      waiting += 1;
      await mayWrite.promise;
    };
    room.open(session);
    await until(
      'the write',
      () => waiting,
      (count) => count > 0,
    );
    await systemClock.sleep(A_WHILE_MS);
  });
  afterEach(() => room.stop());

  const onServer = () => room.whatsApp.world.accounts.get(ANN)?.devices.get(1)?.preKeys ?? [];
  /** Whether the session has every key that the server has, and counts on behind them. */
  async function isConsistent(): Promise<boolean> {
    const session = await room.session();
    const offered = onServer();
    const { nextPreKeyId } = session.credentials as AuthenticationCreds;
    const keys = await session.getKeys(
      'pre-key',
      offered.map(({ id }) => String(id)),
    );
    return offered.every(({ id, value }) => {
      const key = keys[id] as { readonly public: Uint8Array } | undefined;
      return id < nextPreKeyId && key !== undefined && Buffer.from(key.public).equals(value);
    });
  }

  it('reach the server only when both are durable', async () => {
    const before = onServer().length;

    mayWrite.resolve();
    await room.input('caught_up');

    expect(before).toBe(0);
    expect(onServer().length).toBeGreaterThan(800);
    expect(await isConsistent()).toBe(true);
  });

  it('never reach it when the process dies before, and get no number twice', async () => {
    const before = onServer().length;
    room.gate.fence();
    mayWrite.reject(new Error('the process is gone'));
    await room.socket?.close('end');

    room.gate = makeSwitchGate();
    room.beforeWrite = async () => undefined;
    await room.login();

    expect(before).toBe(0);
    expect(new Set(onServer().map(({ id }) => id)).size).toBe(onServer().length);
    expect(await isConsistent()).toBe(true);
  });
});

describe('saves of credentials', () => {
  it('are settled when the last has ended, and never after a failure', async () => {
    const writes: PromiseWithResolvers<void>[] = [];
    const failures: unknown[] = [];
    const saves = new CredentialSaves(
      {
        saveCredentials: () => {
          const write = Promise.withResolvers<void>();
          writes.push(write);
          return write.promise;
        },
      },
      (error) => failures.push(error),
    );
    const seen: boolean[] = [saves.isSettled()];
    const [first, second] = [saves.save({}), saves.save({})];

    writes[0]?.resolve();
    await first;
    seen.push(saves.isSettled());
    writes[1]?.resolve();
    await second;
    seen.push(saves.isSettled());
    const third = saves.save({});
    writes[2]?.reject(new Error('refused'));

    await expect(third).rejects.toThrow('could not be saved');
    await expect(saves.settled()).rejects.toThrow('could not be saved');
    expect([...seen, saves.isSettled()]).toEqual([true, false, true, false]);
    expect(failures).toHaveLength(1);
  });
});
