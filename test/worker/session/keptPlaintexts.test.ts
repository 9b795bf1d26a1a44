import { randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import { LARGEST_PLAINTEXT_BYTES, PLAINTEXT_BYTES_A_DAY } from '../../../worker/session/keptPlaintexts.ts';
import { OwnershipLostError } from '../../../worker/session/sessionErrors.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { openPlaintext } from './openPlaintext.ts';
import { Sessions } from './sessions.ts';

const KEY = `message:${'a'.repeat(40)}`;
const DAY_MS = 86_400_000;

describe('what a message says that cannot be shown yet', () => {
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = await Sessions.start();
  });
  afterAll(() => sessions.stop());
  beforeEach(() => sessions.next());

  const opened = (key = KEY) => {
    const { connection, keyProvider } = sessions;
    return openPlaintext({ table: sessions.table(), keyProvider, connection }, key);
  };
  /** A store that answers writes of plaintexts with an error, and does not take them. */
  const failing = (error: Error, onTry: () => void = () => undefined) => {
    const table = sessions.table();
    const send = table.send.bind(table) as (command: unknown, options: unknown) => Promise<unknown>;
    table.send = (async (command: unknown, options: unknown) => {
      const sk = command instanceof PutCommand ? String(command.input.Item?.['sk']) : '';
      if (!sk.startsWith('PLAINTEXT#')) return send(command, options);
      onTry();
      throw error;
    }) as typeof table.send;
    return table;
  };

  it('is kept sealed for 30 days, and opens to the same bytes for a later owner', async () => {
    const session = await sessions.paired(1);
    const plaintext = Buffer.concat([Buffer.from('a sentence to look for'), randomBytes(1_000)]);

    expect(await session.keepPlaintext(KEY, plaintext)).toBe('kept');

    const found = await opened();
    expect(found?.bytes).toEqual(plaintext);
    expect(found?.sealed.includes('a sentence to look for')).toBe(false);
    const days = ((found?.ttl ?? 0) * 1_000 - Date.now()) / DAY_MS;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });

  it('may be kept twice, also by the next owner, and by nobody who has lost the connection', async () => {
    const first = await sessions.paired(1);
    await first.keepPlaintext(KEY, Buffer.from('once'));
    await first.keepPlaintext(KEY, Buffer.from('once'));
    await (await sessions.owner(2)).keepPlaintext(KEY, Buffer.from('once'));

    await expect(first.keepPlaintext(KEY, Buffer.from('late'))).rejects.toThrow(OwnershipLostError);
    expect((await opened())?.bytes.toString()).toBe('once');
  });

  it('goes after its 30 days whatever becomes of the credentials', async () => {
    const session = await sessions.paired(1);
    await session.keepPlaintext(KEY, Buffer.from('x'));
    const before = (await opened())?.ttl;
    await session.retireCredentials();

    expect((await opened())?.ttl).toBe(before);
  });

  it('is left and counted when it is longer than 64 KB', async () => {
    const metrics = keepingMetrics();
    const session = await sessions.paired(1, { metrics });

    expect(await session.keepPlaintext(KEY, Buffer.alloc(LARGEST_PLAINTEXT_BYTES))).toBe('kept');
    expect(await session.keepPlaintext(`${KEY}b`, Buffer.alloc(LARGEST_PLAINTEXT_BYTES + 1))).toBe('too_large');
    expect(await opened(`${KEY}b`)).toBeUndefined();
    expect(metrics.totalOf('PlaintextsNotKept')).toBe(1);
  });

  it('is left and counted when it is too much for one day, and kept again when time has passed', async () => {
    const metrics = keepingMetrics();
    let passedMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const session = await sessions.paired(1, { metrics, clock });
    const most = PLAINTEXT_BYTES_A_DAY / LARGEST_PLAINTEXT_BYTES;
    const keep = () => session.keepPlaintext(KEY, Buffer.alloc(LARGEST_PLAINTEXT_BYTES));
    for (let count = 0; count < most; count += 1) expect(await keep()).toBe('kept');

    expect(await keep()).toBe('over_budget');
    expect(metrics.totalOf('PlaintextsNotKept')).toBe(1);
    passedMs = DAY_MS / 100;
    expect(await keep()).toBe('kept');
  });

  it('is left and counted at once when the store refuses it for good', async () => {
    const metrics = keepingMetrics();
    const refusal = Object.assign(new Error('no'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
    const session = await sessions.paired(1, { metrics, table: failing(refusal) });

    expect(await session.keepPlaintext(KEY, Buffer.from('x'))).toBe('refused');
    expect(metrics.totalOf('PlaintextsNotKept')).toBe(1);
  });

  it('is a failure when the store may take it later', async () => {
    const outage = Object.assign(new Error('not now'), {
      name: 'InternalServerError',
      $metadata: { httpStatusCode: 500 },
    });
    let passedMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const patient = failing(outage, () => {
      passedMs += 30_000;
    });
    const session = await sessions.paired(1, { clock, table: patient });

    await expect(session.keepPlaintext(KEY, Buffer.from('x'))).rejects.toThrow('not now');
  });
});
