import { randomBytes } from 'node:crypto';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { sortKeyOfSent } from '../../../worker/session/sentMessages.ts';
import { OwnershipLostError } from '../../../worker/session/sessionErrors.ts';
import { Sessions, TABLE } from './sessions.ts';

const ID = '3EB0A1B2C3D4E5F60718';
const DAY_MS = 86_400_000;

describe('what has left under a stanza id', () => {
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = await Sessions.start();
  });
  afterAll(() => sessions.stop());
  beforeEach(() => sessions.next());

  it('is kept sealed for 30 days, and opens to the same bytes for a later owner', async () => {
    const session = await sessions.paired(1);
    const bytes = Buffer.concat([Buffer.from('a sentence to look for'), randomBytes(500)]);

    expect(await session.keepSent(ID, bytes)).toBe('kept');

    const item = await sessions.item(sortKeyOfSent(ID));
    expect(Buffer.from(item?.['body'] as Uint8Array).includes('a sentence to look for')).toBe(false);
    expect((Number(item?.['ttl']) * 1_000 - Date.now()) / DAY_MS).toBeCloseTo(30, 1);
    const found = await (await sessions.owner(2)).findSent([ID, 'another']);
    expect([...found.keys()]).toEqual([ID]);
    expect(Buffer.from(found.get(ID) as Uint8Array)).toEqual(bytes);
  });

  it('is what was kept first, whoever keeps something later', async () => {
    const first = await sessions.paired(1);
    await first.keepSent(ID, Buffer.from('first'));

    expect(await first.keepSent(ID, Buffer.from('second'))).toBe('kept_before');
    const next = await sessions.owner(2);
    expect(await next.keepSent(ID, Buffer.from('third'))).toBe('kept_before');

    const found = await next.findSent([ID]);
    expect(Buffer.from(found.get(ID) as Uint8Array).toString()).toBe('first');
  });

  it('is kept by one of two owners that keep it at once, and both find the same', async () => {
    const [one, other] = [await sessions.paired(1), await sessions.owner(2)];

    const outcomes = await Promise.allSettled([
      one.keepSent(ID, Buffer.from('one')),
      other.keepSent(ID, Buffer.from('other')),
    ]);

    const kept = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value === 'kept');
    expect(kept).toHaveLength(1);
    const [ofOne, ofOther] = [await one.findSent([ID]), await other.findSent([ID])];
    expect(ofOne.get(ID)).toEqual(ofOther.get(ID));
  });

  it('is kept by nobody who has lost the connection to one who kept it', async () => {
    const older = await sessions.paired(1);
    await (await sessions.owner(2)).keepSent(ID, Buffer.from('newer'));

    await expect(older.keepSent(ID, Buffer.from('older'))).rejects.toThrow(OwnershipLostError);
  });

  it('counts as kept when the store took it and its answer was lost', async () => {
    const table = sessions.table();
    const send = table.send.bind(table) as (command: unknown, options: unknown) => Promise<unknown>;
    let lost = 0;
    table.send = (async (command: unknown, options: unknown) => {
      const answer = await send(command, options);
      if (!(command instanceof PutCommand) || !String(command.input.Item?.['sk']).startsWith('SENT#')) return answer;
      if (lost > 0) return answer;
      lost += 1;
      throw Object.assign(new Error('the answer was lost'), { name: 'TimeoutError' });
    }) as typeof table.send;
    const session = await sessions.paired(1, { table });

    expect(await session.keepSent(ID, Buffer.from('once'))).toBe('kept');
    expect(lost).toBe(1);
  });

  it('is a failure, and not kept, when the store does not answer', async () => {
    let passedMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const table = sessions.table();
    const send = table.send.bind(table) as (command: unknown, options: unknown) => Promise<unknown>;
    table.send = (async (command: unknown, options: unknown) => {
      if (!(command instanceof PutCommand) || !String(command.input.Item?.['sk']).startsWith('SENT#')) {
        return send(command, options);
      }
      passedMs += 30_000;
      throw Object.assign(new Error('not now'), { name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
    }) as typeof table.send;
    const session = await sessions.paired(1, { clock, table });

    await expect(session.keepSent(ID, Buffer.from('x'))).rejects.toThrow('not now');
    expect(await sessions.item(sortKeyOfSent(ID))).toBeUndefined();
  });

  it('is told from what was never kept when it cannot be opened', async () => {
    const session = await sessions.paired(1);
    await session.keepSent(ID, Buffer.from('x'));
    await sessions.table().send(
      new UpdateCommand({
        TableName: TABLE,
        Key: { pk: sessions.pk, sk: sortKeyOfSent(ID) },
        UpdateExpression: 'SET body = :other',
        ExpressionAttributeValues: { ':other': randomBytes(60) },
      }),
    );

    expect((await session.findSent([ID])).get(ID)).toBe('unreadable');
    expect(await session.keepSent(ID, Buffer.from('y'))).toBe('kept_before');
  });

  it('goes after its 30 days whatever becomes of the credentials', async () => {
    const session = await sessions.paired(1);
    await session.keepSent(ID, Buffer.from('x'));
    const before = (await sessions.item(sortKeyOfSent(ID)))?.['ttl'];
    await session.retireCredentials();

    expect((await sessions.item(sortKeyOfSent(ID)))?.['ttl']).toBe(before);
  });
});
