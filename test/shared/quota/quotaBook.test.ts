import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it, vi } from 'vitest';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { quotasOf, planSettings } from '../../../shared/platform/planConfig.ts';
import { usualQuotas } from '../../../shared/platform/quotaRows.ts';
import { QuotaBook } from '../../../shared/quota/quotaBook.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

const plans = { standard: { pairings: 50 }, trial: { pairings: 5, actions: 1 } };

describe('the quotas of a tenant', () => {
  it('are its own, else those of its plan, else the usual ones', () => {
    expect(quotasOf(plans, { plan: undefined, own: {} })).toEqual({ ...usualQuotas, pairings: 50 });
    expect(quotasOf(plans, { plan: 'trial', own: { pairings: 9 } })).toEqual({
      ...usualQuotas,
      pairings: 9,
      actions: 1,
    });
    expect(quotasOf(plans, { plan: 'gone', own: {} })).toEqual(usualQuotas);
    expect(quotasOf(plans, { plan: 'constructor', own: {} })).toEqual(usualQuotas);
  });

  const aBook = () => {
    const table = makeDocumentClient(aStoreConfig({}));
    const calls = mockClient(table);
    return { calls, book: new QuotaBook({ table, stage: 'test', plans, logger: silentLogger }) };
  };
  const tenantId = makeId('tnt', Date.now(), systemRandom);

  it('are read once for a while, and anew after that', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    try {
      const { calls, book } = aBook();
      calls.on(GetCommand).resolves({ Item: { plan: 'trial', own: { pairings: 9, gone: 4 }, version: 1 } });

      const first = await book.find(tenantId);
      await book.find(tenantId);
      const soon = calls.calls().length;
      await new Promise((resolve) => setTimeout(resolve, 5));
      now.mockReturnValue(27_000);
      await book.find(tenantId);

      expect(first).toEqual({ ...usualQuotas, pairings: 9, actions: 1 });
      expect(soon).toBe(1);
      expect(calls.calls()).toHaveLength(2);
    } finally {
      now.mockRestore();
    }
  });

  it('are those from before, or of the usual plan, where they cannot be read', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    try {
      const { calls, book } = aBook();
      calls.on(GetCommand).rejects(new Error('nobody answers'));
      const { calls: later, book: another } = aBook();
      later
        .on(GetCommand)
        .resolvesOnce({ Item: { own: { actions: 3 } } })
        .rejects(new Error('nobody answers'));

      const unknown = await book.find(tenantId);
      const known = await another.find(tenantId);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now.mockReturnValue(60_000);
      const stale = await another.find(tenantId);

      expect(unknown).toEqual({ ...usualQuotas, pairings: 50 });
      expect(known.actions).toBe(3);
      expect(stale).toEqual(known);
    } finally {
      now.mockRestore();
    }
  });

  it('are written while nobody has changed them', async () => {
    const { calls, book } = aBook();
    calls.on(PutCommand).resolves({});

    await book.write(tenantId, { plan: 'trial', own: {} }, 3);

    expect(calls.commandCalls(PutCommand)[0]?.args[0].input).toMatchObject({
      ConditionExpression: 'version = :seen',
      ExpressionAttributeValues: { ':seen': 3 },
      Item: { plan: 'trial', version: 4 },
    });
  });
});

describe('the plans of a configuration', () => {
  const read = (text: string) => planSettings.HOLDFAST_PLANS.safeParse(text);

  it('are a JSON object of plans by name', () => {
    expect(read('{"standard": {"pairings": 5}}').data).toEqual({ standard: { pairings: 5 } });
  });

  it.each(['', '[]', 'null', '{"Gold": {}}', '{"gold": {"parings": 5}}', '{"gold": {"pairings": -1}}', '{"gold": 5}'])(
    'are refused where they are %j',
    (text) => {
      expect(read(text).success).toBe(false);
    },
  );
});
