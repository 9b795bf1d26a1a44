import type { proto, WAMessage } from '@whiskeysockets/baileys';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStanzaId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { sortKeyOfSent } from '../../../../worker/session/sentMessages.ts';
import { fromKept } from '../../../../worker/socket/wire/keptMessage.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom, type StoreWrite } from '../socketRoom.ts';
import { aRetryReceipt, linkRawClient, ourDevice, repeatedTo, type RawClient } from '../strangers.ts';

silenceConsole();
const CAT = '4915100000003';
const CAT_JID = `${CAT}@s.whatsapp.net`;

/** Ann is ours. Cat has a client of her own, which tells what it has read. */
describe('a message that leaves', () => {
  let room: SocketRoom;
  let cat: RawClient;
  /** What Cat's client has read, in order. */
  let read: WAMessage[];
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    await room.pairByQr();
    cat = await linkRawClient(room, CAT);
    read = [];
    cat.client.socket.ev.on(
      'messages.upsert',
      ({ messages }) => void read.push(...messages.filter(({ message }) => message)),
    );
  });
  afterEach(async () => {
    cat.close();
    await room.stop();
  });

  const isKept = ({ sk }: StoreWrite): boolean => sk.startsWith('SENT#');
  const reads = (count: number) =>
    until(
      `${count} read`,
      () => read.length,
      (length) => length >= count,
    );
  async function kept(stanzaId: string): Promise<proto.IMessage | undefined> {
    const bytes = (await (await room.session()).findSent([stanzaId])).get(stanzaId);
    return bytes instanceof Uint8Array ? fromKept(bytes).message : undefined;
  }
  const secretIn = (message: proto.IMessage | null | undefined): string =>
    Buffer.from(message?.messageContextInfo?.messageSecret ?? []).toString('hex');
  const secretsRead = () => read.map(({ message }) => secretIn(message));

  it('is kept as it left: what its reader reads, with its secret', async () => {
    const { stanzaId } = await room.send('hello', undefined, CAT_JID);
    await reads(1);

    const message = await kept(stanzaId);
    expect(message?.extendedTextMessage?.text).toBe('hello');
    expect(read[0]?.message?.extendedTextMessage?.text).toBe('hello');
    expect(secretIn(message)).toMatch(/^[0-9a-f]{64}$/);
    expect(secretsRead()).toEqual([secretIn(message)]);
  });

  it.each(['a person', 'a group'] as const)(
    'to %s does not leave before it is kept, and is sealed meanwhile',
    async (whom) => {
      const to = whom === 'a person' ? CAT_JID : (await room.client.addGroup(BOB, 'Club', [ANN, CAT])).id;
      await room.send('first', undefined, to);
      await reads(1);
      const held = Promise.withResolvers<void>();
      const writes: string[] = [];
      let begun = false;
      room.beforeWrite = async (write) => {
        if (!isKept(write)) return;
        begun = true;
        await held.promise;
      };
      room.afterWrite = ({ sk }) => {
        if (begun) writes.push(sk);
      };

      const sent = room.send('second', undefined, to);
      await until(
        'the step of the ratchet',
        () => writes.length,
        (count) => count > 0,
      );
      // Everything else is done by now: it would have left long ago.
      await new Promise((resolve) => setTimeout(resolve, 300));

      expect(writes.some((sk) => sk.startsWith('SENT#'))).toBe(false);
      expect(cat.brought).toHaveLength(1);
      held.resolve();
      expect((await sent).outcome).toMatchObject({ outcome: 'acknowledged' });
      await reads(2);
    },
  );

  it('does not leave when it cannot be kept, and leaves with the next try', async () => {
    await room.send('first', undefined, CAT_JID);
    await reads(1);
    const refusal = Object.assign(new Error('no'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
    room.beforeWrite = async (write) => {
      if (isKept(write)) throw refusal;
    };

    const { stanzaId, outcome } = await room.send('second', undefined, CAT_JID);

    expect(outcome).toEqual({ outcome: 'unknown' });
    expect(await kept(stanzaId)).toBeUndefined();
    room.beforeWrite = async () => undefined;
    expect((await room.send('second', stanzaId, CAT_JID)).outcome).toMatchObject({ outcome: 'acknowledged' });
    await reads(2);
    expect(read.map(({ key }) => key.id)).toEqual([read[0]?.key.id, stanzaId]);
  });

  it('leaves in a later try as the first has kept it, also after a restart', async () => {
    await room.client.fault({ kind: 'drop_acks', number: ANN, times: 1 });
    const first = await room.send('once', undefined, CAT_JID);
    await reads(1);
    const before = secretIn(await kept(first.stanzaId));
    await room.socket?.close('end');
    await room.login();

    const second = await room.send('once', first.stanzaId, CAT_JID);

    expect([first.outcome?.outcome, second.outcome?.outcome]).toEqual(['unknown', 'acknowledged']);
    await reads(2);
    expect(secretsRead()).toEqual([before, before]);
    expect(secretIn(await kept(first.stanzaId))).toBe(before);
  });

  it('leaves in no form but the kept one: who does not know of an earlier try sends nothing', async () => {
    const stanzaId = makeStanzaId(systemRandom);
    await room.send('once', stanzaId, CAT_JID);
    await reads(1);
    room.sent.delete(stanzaId);

    const unaware = await room.send('twice', stanzaId, CAT_JID);

    expect(unaware.outcome).toEqual({ outcome: 'unknown' });
    expect(cat.brought).toHaveLength(1);
  });

  it('is repeated as it was kept, after a restart, too', async () => {
    const { stanzaId } = await room.send('hello', undefined, CAT_JID);
    await reads(1);
    await room.socket?.close('end');
    await room.login();

    await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room) }));
    await until(
      'the repetition',
      () => repeatedTo(cat),
      (ids) => ids.length === 1,
    );
    await reads(2);

    expect(new Set(secretsRead())).toEqual(new Set([secretIn(await kept(stanzaId))]));
    expect(new Set(read.map(({ message }) => message?.extendedTextMessage?.text))).toEqual(new Set(['hello']));
  });

  it('is not repeated when nothing is kept of it, and that is counted', async () => {
    const { stanzaId } = await room.send('hello', undefined, CAT_JID);
    await reads(1);
    const { tenantId, connectionId } = room.connection;
    const Key = { pk: `SESSION#${tenantId}#${connectionId}`, sk: sortKeyOfSent(stanzaId) };
    await room.store().send(new DeleteCommand({ TableName: 'test-sessions', Key }));

    await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room) }));
    await until(
      'the refusal',
      () => room.metrics.totalOf('RetryReceiptsRefused', { reason: 'not_kept' }),
      (count) => count === 1,
    );
    await room.send('after', undefined, CAT_JID);
    await reads(2);

    expect(repeatedTo(cat)).toEqual([]);
    expect(read[1]?.message?.extendedTextMessage?.text).toBe('after');
  });
});
