import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { GateClosedError } from '../../../worker/fleet/gate.ts';
import type { SessionOptions } from '../../../worker/session/session.ts';
import { OwnershipLostError, UnreadableItemError } from '../../../worker/session/sessionErrors.ts';
import { makeSwitchGate } from '../fleet/gates.ts';
import { Sessions, TABLE } from './sessions.ts';
import { itemBytes } from '../../bench/itemBytes.ts';
import { Curve } from '@whiskeysockets/baileys';

const manyPreKeys = Object.fromEntries(
  Array.from({ length: 100 }, (_, id) => [String(id + 1), Curve.generateKeyPair()]),
);

describe('session', () => {
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = await Sessions.start();
  });
  afterAll(() => sessions.stop());
  beforeEach(() => sessions.next());
  const owner = (token: number, overrides?: Partial<SessionOptions>) => sessions.owner(token, overrides);
  const paired = (token?: number) => sessions.paired(token);
  const table = () => sessions.table();
  const itemsOf = () => sessions.items();

  it('is empty before the first pairing, and keeps credentials and keys for the next owner', async () => {
    const first = await owner(1);
    const before = first.isPaired;
    await first.storeNewCredentials({ me: { id: 'a' }, secret: Buffer.from([7, 8]) });
    await first.setKeys({ session: { '1.0': { chain: Buffer.from([9]) } }, 'lid-mapping': { '49': '12' } });
    await first.flush();

    const next = await owner(2);

    expect([before, next.isPaired]).toEqual([false, true]);
    expect(next.credentials).toEqual({ me: { id: 'a' }, secret: Buffer.from([7, 8]) });
    expect(await next.getKeys('session', ['1.0', '2.0'])).toEqual({ '1.0': { chain: Buffer.from([9]) } });
    expect(await next.getKeys('lid-mapping', ['49', '50'])).toEqual({ '49': '12' });
  });

  it('is removed to the last item where its tenant is deleted, again too, and writes nothing more', async () => {
    const session = await paired();
    await session.setKeys({ session: { '1.0': { chain: Buffer.from([9]) } }, 'pre-key': manyPreKeys });
    await session.retireCredentials();
    const before = (await itemsOf()).length;

    await session.remove();
    const after = await itemsOf();
    await (await owner(3)).remove();

    expect(before).toBeGreaterThan(4);
    expect([after, await itemsOf()]).toEqual([[], []]);
    await expect(session.storeNewCredentials({ me: { id: 'b' } })).rejects.toThrow(OwnershipLostError);
  });

  it('is not removed by an owner from before', async () => {
    const session = await paired(1);
    await (await owner(2)).raiseEpoch();

    await expect(session.remove()).rejects.toThrow(OwnershipLostError);

    expect((await owner(3)).isPaired).toBe(true);
  });

  it('gives back each type of key as it was stored', async () => {
    const session = await paired();
    const types = [
      'pre-key',
      'session',
      'sender-key',
      'app-state-sync-key',
      'app-state-sync-version',
      'sender-key-memory',
      'lid-mapping',
      'device-list',
      'identity-key',
      'tctoken',
      'handled',
    ];
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('any'), { maxKeys: 4 }),
      ),
    })).any;

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...types), fc.nat(2_000), value, async (type, number, stored) => {
        await session.setKeys({ [type]: { [`${number}`]: stored } });
        await session.flush();
        const later = await owner(1);

        expect(await later.getKeys(type, [`${number}`])).toEqual({ [`${number}`]: stored });
      }),
      { numRuns: 60 },
    );
  });

  it('packs 812 pre-keys into 33 items of one write unit each', async () => {
    const session = await sessions.paired(99_999);
    const pairs = Array.from({ length: 20 }, () => Curve.generateKeyPair());
    const keys = Object.fromEntries(Array.from({ length: 812 }, (_, id) => [String(id + 1), pairs[id % 20]]));

    await session.setKeys({ 'pre-key': keys });

    const items = (await itemsOf()).filter(({ sk }) => String(sk).includes('PREKEYS'));
    expect(items).toHaveLength(33);
    expect(Math.max(...items.map(itemBytes))).toBeLessThanOrEqual(1_024);
    expect(await (await owner(99_999)).getKeys('pre-key', Object.keys(keys))).toEqual(keys);
  });

  it('writes the pre-keys of a pairing in one call, and finds its own when the answer is lost', async () => {
    const client = table();
    const send = client.send.bind(client) as (command: unknown, options: unknown) => Promise<unknown>;
    const calls: string[] = [];
    const lossy = Object.assign(Object.create(client) as typeof client, {
      send: async (command: object, options: unknown) => {
        calls.push(command.constructor.name);
        const answer = await send(command, options);
        if (
          command instanceof TransactWriteCommand &&
          calls.filter((name) => name === 'TransactWriteCommand').length === 1
        )
          throw new TimeoutError('DynamoDB TransactWriteItems', 5_000);
        return answer;
      },
    });
    await paired();
    const session = await owner(1, { table: lossy });
    calls.length = 0;

    await session.setKeys({ 'pre-key': manyPreKeys });

    expect(calls).toEqual(['BatchGetCommand', 'TransactWriteCommand', 'TransactWriteCommand']);
    expect(await (await owner(1)).getKeys('pre-key', Object.keys(manyPreKeys))).toEqual(manyPreKeys);
  });

  it('reads nothing of an account that it has just seen linked, until a write fails', async () => {
    const client = table();
    const send = client.send.bind(client) as (command: unknown, options: unknown) => Promise<unknown>;
    const calls: string[] = [];
    let isDown = false;
    const watched = Object.assign(Object.create(client) as typeof client, {
      send: async (command: object, options: unknown) => {
        calls.push(command.constructor.name);
        if (isDown) throw Object.assign(new Error('not valid'), { name: 'ValidationException' });
        return send(command, options);
      },
    });
    const session = await sessions.paired(1, { table: watched });
    calls.length = 0;

    await session.setKeys({ 'pre-key': manyPreKeys });
    const own = await session.getKeys('pre-key', ['1', '900']);
    const others = await session.getKeys('session', ['491700000009.1']);
    const known = [...calls];
    isDown = true;
    await expect(session.setKeys({ session: { '491700000009.1': Buffer.from([1]) } })).rejects.toThrow('not valid');
    isDown = false;
    calls.length = 0;
    const stored = await session.getKeys('session', ['491700000009.1']);

    expect(known).toEqual(['TransactWriteCommand']);
    expect([Object.keys(own), others, stored]).toEqual([['1'], {}, {}]);
    expect(calls).toEqual(['BatchGetCommand']);
  });

  it('writes none of many pre-keys when a newer owner has written one of their items', async () => {
    const older = await paired(1);
    await (await owner(2)).setKeys({ 'pre-key': { '30': { a: 1 } } });

    await expect(older.setKeys({ 'pre-key': manyPreKeys })).rejects.toThrow(OwnershipLostError);

    expect(await (await owner(2)).getKeys('pre-key', Object.keys(manyPreKeys))).toEqual({ '30': { a: 1 } });
  });

  it('removes a key', async () => {
    const session = await paired();
    await session.setKeys({ 'pre-key': { '1': { a: 1 }, '2': { a: 2 } } });

    await session.setKeys({ 'pre-key': { '1': null } });

    expect(await (await owner(1)).getKeys('pre-key', ['1', '2'])).toEqual({ '2': { a: 2 } });
  });

  it('stores nothing that can be read without the key', async () => {
    const session = await paired();
    await session.setKeys({ session: { '1.0': { text: 'a ratchet that nobody may read' } } });

    const text = JSON.stringify(await itemsOf(), (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );

    expect(text).not.toContain('ratchet');
    expect(text).not.toContain('noiseKey');
  });

  it('refuses an older owner once a newer one has written the same item', async () => {
    const older = await paired(1);
    await older.setKeys({ session: { '1.0': { step: 1 } } });
    const newer = await owner(2);
    await newer.setKeys({ session: { '1.0': { step: 2 } } });

    await expect(older.setKeys({ session: { '1.0': { step: 3 } } })).rejects.toThrow(OwnershipLostError);

    expect(await (await owner(2)).getKeys('session', ['1.0'])).toEqual({ '1.0': { step: 2 } });
  });

  it("refuses an older owner's credentials from the moment a newer one has raised the epoch", async () => {
    const older = await paired(1);
    await (await owner(2)).raiseEpoch();

    await expect(older.saveCredentials({ me: 'late' })).rejects.toThrow(OwnershipLostError);
    await expect(older.raiseEpoch()).rejects.toThrow(OwnershipLostError);
  });

  it('lets no two owners commit the same version of a session, whatever the order of their steps', async () => {
    const steps = fc.array(fc.record({ who: fc.constantFrom(0, 1), value: fc.nat(1_000) }), {
      minLength: 1,
      maxLength: 12,
    });
    let run = 0;

    await fc
      .assert(
        fc.asyncProperty(steps, async (order) => {
          run += 1;
          const id = `${run}.0`;
          const owners = [await owner(1), await owner(2)];
          const committed: number[] = [];
          for (const { who, value } of order) {
            const outcome = await owners[who]?.setKeys({ session: { [id]: { value } } }).then(
              () => 'committed',
              () => 'refused',
            );
            if (outcome === 'committed') committed.push(value);
          }
          const item = await table().send(
            new GetCommand({
              TableName: TABLE,
              Key: { pk: sessions.pk, sk: `C0001R0000#SIGNAL#${id}` },
              ConsistentRead: true,
            }),
          );

          // Each commit is one version: two that both believed to follow the same one would leave fewer versions than commits.
          return (item.Item?.['version'] ?? 0) === committed.length;
        }),
        {
          numRuns: 40,
          examples: [
            [
              [
                { who: 0, value: 1 },
                { who: 1, value: 2 },
                { who: 0, value: 3 },
              ],
            ],
          ],
        },
      )
      .catch(async (error: unknown) => {
        throw error;
      });
  });

  it('recognises its own write whose answer was lost', async () => {
    const session = await paired();
    const client = table();
    const send = client.send.bind(client);
    // The store applies the write and answers the repetition as it does: the condition does not hold any more.
    const lossy = await owner(1, {
      table: Object.assign(Object.create(client) as typeof client, {
        send: async (command: unknown, options: unknown) => {
          if (command instanceof PutCommand) await send(command, options as never);
          return send(command as never, options as never);
        },
      }),
    });

    await lossy.setKeys({ session: { '1.0': { step: 1 } } });

    expect(await (await owner(1)).getKeys('session', ['1.0'])).toEqual({ '1.0': { step: 1 } });
    expect(session.isPaired).toBe(true);
  });

  it('takes a changed item for unreadable and never for absent', async () => {
    const session = await paired();
    await session.setKeys({ session: { '1.0': { step: 1 } } });
    const sk = 'C0001R0000#SIGNAL#1.0';
    const item = (await itemsOf()).find((found) => found['sk'] === sk);
    await table().send(new PutCommand({ TableName: TABLE, Item: { ...item, version: 7 } }));

    await expect((await owner(1)).getKeys('session', ['1.0'])).rejects.toThrow(UnreadableItemError);
  });

  it('tries a throttled read again and gives an error at last, not an absence', async () => {
    await paired();
    const client = table();
    const throttled = Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' });
    const mock = mockClient(client);
    mock.on(BatchGetCommand).rejects(throttled);
    let nowMs = 0;
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => (nowMs += 1_000),
      // Pauses between tries take no time; deadlines do.
      sleep: (durationMs, signal) => systemClock.sleep(durationMs <= 1_000 ? 0 : durationMs, signal),
    };

    await expect(owner(1, { table: client, clock })).rejects.toThrow('slow down');

    expect(mock.commandCalls(BatchGetCommand).length).toBeGreaterThan(3);
    expect(mock.commandCalls(PutItemCommand)).toHaveLength(0);
  });

  it('writes nothing once the worker is fenced', async () => {
    await paired();
    const gate = makeSwitchGate();
    const fenced = await owner(1, { gate });
    const before = await itemsOf();
    gate.fence();

    await expect(fenced.setKeys({ session: { '1.0': { step: 1 } } })).rejects.toThrow(GateClosedError);
    await expect(fenced.saveCredentials({ me: 'x' })).rejects.toThrow(GateClosedError);

    expect(await itemsOf()).toEqual(before);
  });

  it('holds a write while the worker is suspended, and goes on when the gate opens', async () => {
    await paired();
    const gate = makeSwitchGate();
    const session = await owner(1, { gate });
    const before = await itemsOf();
    gate.close();

    const written = session.setKeys({ session: { '1.0': { step: 1 } } });
    await systemClock.sleep(50);
    const whileClosed = await itemsOf();
    gate.open();
    await written;

    expect(whileClosed).toEqual(before);
    expect(await session.getKeys('session', ['1.0'])).toEqual({ '1.0': { step: 1 } });
  });

  it('makes a write again that was not answered, and finds its own when the first try was taken', async () => {
    const flaky = table();
    await paired();
    const session = await owner(1, { table: flaky });
    const send = flaky.send.bind(flaky) as (command: unknown, options: unknown) => Promise<unknown>;
    let tries = 0;
    flaky.send = (async (command: unknown, options: unknown) => {
      if (command instanceof PutCommand) tries += 1;
      const answer = await send(command, options);
      if (command instanceof PutCommand && tries === 1) throw new Error('no answer');
      return answer;
    }) as typeof flaky.send;

    await session.setKeys({ session: { '1.0': { step: 1 } } });

    expect(tries).toBe(2);
    expect(await (await owner(2)).getKeys('session', ['1.0'])).toEqual({ '1.0': { step: 1 } });
  });

  it('keeps retired credentials for 30 days, and gives the next account none of the old keys', async () => {
    const session = await paired();
    await session.setKeys({ session: { '1.0': { step: 1 } } });

    await session.retireCredentials();
    const after = await owner(1);
    const retired = (await itemsOf()).find(({ sk }) => String(sk).endsWith('RETIRED'));
    await after.storeNewCredentials({ me: { id: 'another account' } });

    const days = (Number(retired?.['ttl']) - Date.now() / 1_000) / 86_400;
    expect(days).toBeGreaterThan(29.9);
    expect(after.credentials).toEqual({ me: { id: 'another account' } });
    expect(await after.getKeys('session', ['1.0'])).toEqual({});
    expect((await itemsOf()).filter(({ sk, ttl }) => String(sk).startsWith('C0001') && ttl === undefined)).toEqual([]);
  });

  it("cannot be opened with another connection's key", async () => {
    await paired();
    const items = await itemsOf();
    const other = { ...sessions.connection, connectionId: makeId('con', Date.now(), systemRandom) };
    for (const item of items) {
      await table().send(
        new PutCommand({ TableName: TABLE, Item: { ...item, pk: `SESSION#${other.tenantId}#${other.connectionId}` } }),
      );
    }
    sessions.connection = other;

    await expect(owner(1)).rejects.toThrow(/authenticate|unsupported state/i);
  });
});
