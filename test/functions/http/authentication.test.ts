import { GetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { makeAuthenticate } from '../../../functions/http/authentication.ts';
import { createOperatorKey } from '../../../shared/identity/apiKey.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { createTenantKey } from '../../../shared/identity/tenantKeys.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { createTenant } from '../../../shared/tenant/tenant.ts';
import { makeTestClock } from '../../shared/event/testClock.ts';

const ADMIN = { operatorRole: 'admin', by: 'test' } as const;
type Row = Record<string, unknown>;
interface Input {
  readonly Item?: Row;
  readonly Key?: Row;
  readonly TransactItems?: readonly { readonly Put?: { readonly Item: Row } }[];
}

/** A table of keys that counts its reads. */
function aTable() {
  const items = new Map<string, Record<string, unknown>>();
  const reads: GetCommand[] = [];
  const send = (command: { readonly input: Input }) => {
    const { Item, Key, TransactItems = [] } = command.input;
    for (const row of [Item, ...TransactItems.map(({ Put }) => Put?.Item)]) {
      // What lies beside a row is not read by its partition alone.
      if (row !== undefined && row['sk'] !== row['keyId'] && !String(row['sk']).startsWith('KEY#'))
        items.set(String(row['pk']), row);
    }
    if (command instanceof GetCommand) reads.push(command);
    return Promise.resolve({ Item: items.get(String(Key?.['pk'])) });
  };
  return { table: { send } as unknown as DynamoDBDocumentClient, reads, items };
}

/** More than the keys of tenants that are remembered. */
const MADE_UP = 12_000;

const madeUp = (number: number): string => `Bearer hf_tenant_${String(number).padStart(43, 'x')}`;

describe('the check of API keys', () => {
  it('reads an unknown key once, and knows for half a minute that it is nobody’s', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    try {
      const { table, reads } = aTable();
      const authenticate = makeAuthenticate({ table, stage: 'test', clock: systemClock });
      const refused = () => expect(authenticate(madeUp(1))).rejects.toMatchObject({ code: 'unauthorized' });

      for (let time = 0; time < 5; time += 1) await refused();
      const soon = reads.length;
      // The cache looks at the clock once in a millisecond.
      await new Promise((resolve) => setTimeout(resolve, 5));
      now.mockReturnValue(32_000);
      await refused();

      expect(soon).toBe(1);
      expect(reads).toHaveLength(2);
    } finally {
      now.mockRestore();
    }
  });

  it('forgets no key of ours for thousands of made-up ones, and reads nothing for what is no key', async () => {
    const { table, reads } = aTable();
    const key = await createOperatorKey({ table, stage: 'test', clock: systemClock, random: systemRandom }, ADMIN);
    const authenticate = makeAuthenticate({ table, stage: 'test', clock: systemClock });
    const ours = `Bearer ${key.secret.reveal()}`;
    await authenticate(ours);

    const passed: string[] = [];
    for (let number = 0; number < MADE_UP; number += 1) {
      await authenticate(madeUp(number)).then(
        () => passed.push(madeUp(number)),
        () => undefined,
      );
    }
    expect(passed).toEqual([]);
    await expect(authenticate('Bearer hello')).rejects.toMatchObject({ code: 'unauthorized' });

    await expect(authenticate(ours)).resolves.toMatchObject({ role: 'operator', keyId: key.keyId });
    expect(reads).toHaveLength(1 + MADE_UP);
  });

  it('reads no more for an address that tried thirty keys of nobody’s in a minute, and still knows those that it has met', async () => {
    const { table, reads } = aTable();
    const clock = makeTestClock();
    const refused: string[] = [];
    const identity = { table, stage: 'test', clock, random: systemRandom };
    const authenticate = makeAuthenticate(identity, { countRefused: (reason) => refused.push(reason) });
    const { secret } = await createOperatorKey(identity, ADMIN);
    const ours = `Bearer ${secret.reveal()}`;
    await authenticate(ours, '203.0.113.7');
    const codeOf = (number: number, address: string) =>
      authenticate(madeUp(number), address).catch(({ code }: { readonly code: string }) => code);

    for (let number = 0; number < 30; number += 1) await codeOf(number, '203.0.113.7');
    const readsBefore = reads.length;
    const beyond = await codeOf(30, '203.0.113.7');
    const elsewhere = await codeOf(31, '203.0.113.8');
    const known = await authenticate(ours, '203.0.113.7');
    clock.advance(60_000);
    const later = await codeOf(32, '203.0.113.7');

    expect([beyond, elsewhere, later]).toEqual(['too_many_requests', 'unauthorized', 'unauthorized']);
    expect(known).toMatchObject({ role: 'operator' });
    expect(reads.length - readsBefore).toBe(2);
    expect(refused.filter((reason) => reason === 'too_many')).toHaveLength(1);
    expect(refused.filter((reason) => reason === 'unknown')).toHaveLength(32);
  });

  it('reads a key again that it has met, also for an address that others guess from', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    try {
      const { table } = aTable();
      const clock = makeTestClock();
      const identity = { table, stage: 'test', clock, random: systemRandom };
      const authenticate = makeAuthenticate(identity);
      const ours = `Bearer ${(await createOperatorKey(identity, ADMIN)).secret.reveal()}`;
      await authenticate(ours, '203.0.113.7');
      for (let number = 0; number < 31; number += 1) {
        await authenticate(madeUp(number), '203.0.113.7').catch(() => undefined);
      }

      await new Promise((resolve) => setTimeout(resolve, 5));
      now.mockReturnValue(30_000);

      await expect(authenticate(ours, '203.0.113.7')).resolves.toMatchObject({ role: 'operator' });
    } finally {
      now.mockRestore();
    }
  });

  it('asks the table itself, so that a key that was just made is known', async () => {
    const { table, reads } = aTable();
    const authenticate = makeAuthenticate({ table, stage: 'test', clock: systemClock });

    await authenticate(madeUp(1)).catch(() => undefined);

    expect(reads[0]?.input.ConsistentRead).toBe(true);
  });

  it('opens nothing from the moment at which a key expires, remembered or not', async () => {
    const { table } = aTable();
    const clock = makeTestClock();
    const identity = { table, stage: 'test', clock, random: systemRandom };
    const { tenantId } = await createTenant(identity, 'Acme');
    const { secret } = await createTenantKey(identity, tenantId, { expiresAtMs: clock.nowMs() + 1_000 });
    const [remembers, another] = [makeAuthenticate(identity), makeAuthenticate(identity)];
    const ours = `Bearer ${secret.reveal()}`;
    clock.advance(999);
    await expect(remembers(ours)).resolves.toMatchObject({ tenantId });

    clock.advance(1);

    const expired = { code: 'unauthorized', detail: 'This API key has expired. Ask an operator for a new one.' };
    await expect(remembers(ours)).rejects.toMatchObject(expired);
    await expect(another(ours)).rejects.toMatchObject(expired);
  });

  it('forgets a key that was revoked within half a minute', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    try {
      const { table, items } = aTable();
      const authenticate = makeAuthenticate({ table, stage: 'test', clock: systemClock });
      const { secret } = await createOperatorKey(
        { table, stage: 'test', clock: systemClock, random: systemRandom },
        ADMIN,
      );
      const ours = `Bearer ${secret.reveal()}`;
      await authenticate(ours);

      items.clear();
      await new Promise((resolve) => setTimeout(resolve, 5));
      now.mockReturnValue(27_000);

      await expect(authenticate(ours)).rejects.toMatchObject({ code: 'unauthorized' });
    } finally {
      now.mockRestore();
    }
  });

  it('tells of the use of a key once a day, and of an operator’s never', async () => {
    const { table } = aTable();
    const clock = makeTestClock(Date.parse('2026-08-01T23:59:00Z'));
    const parts = { table, stage: 'test', clock, random: systemRandom };
    const told: string[] = [];
    const authenticate = makeAuthenticate(parts, {
      rememberedMs: 1,
      noteUse: async ({ keyId }, day) => void told.push(`${keyId} ${day}`),
    });
    const tenant = await createTenantKey(parts, (await createTenant(parts, 'Acme')).tenantId, {});
    const operator = await createOperatorKey(parts, ADMIN);
    const use = async ({ secret }: typeof tenant): Promise<unknown> => authenticate(`Bearer ${secret.reveal()}`);

    for (const key of [tenant, operator, tenant]) {
      await use(key);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    clock.advance(120_000);
    await use(tenant);

    expect(told).toEqual([`${tenant.keyId} 2026-08-01`, `${tenant.keyId} 2026-08-02`]);
  });
});
