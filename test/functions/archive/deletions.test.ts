import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processAccess } from '../../../infra/access/access.ts';
import { tenantPartitions } from '../../../shared/archive/tenantPartitions.ts';
import type { Item } from '../../../shared/platform/pages.ts';
import { findTenant } from '../../../shared/tenant/tenant.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { isPlayed } from '../../sample.ts';
import { DeletionWorld, type FilledTenant } from './deletionWorld.ts';

/** One of so many deaths is played each day. */
const ONE_OF = 29;

describe('a tenant that is deleted', { timeout: 1_200_000 }, () => {
  let world: DeletionWorld;
  beforeAll(async () => {
    world = await DeletionWorld.start();
  });
  afterAll(() => world.stop());

  const kindOf = ({ pk }: Item): string => String(pk).split('#')[0] ?? '';
  const kindsOf = (rows: readonly Item[]): readonly string[] => [...new Set(rows.map(kindOf))].toSorted();
  const rowsOf = (filled: FilledTenant) => world.rowsWith(world.namesOf(filled));
  const keysOf = (rows: readonly Item[]) => rows.map(({ pk, sk }) => `${String(pk)} ${String(sk)}`).toSorted();
  /** What stays: that it was deleted, twice, and that its log takes nothing more. */
  const staying = ({ tenantId }: FilledTenant) => [
    `TENANT#${tenantId} EVENTS`,
    `TENANT#${tenantId} TENANT`,
    `TENANTS#ALL ${tenantId}`,
  ];

  it('leaves nothing but a receipt; another one keeps all that it has, to the last bit', async () => {
    const [leaving, other] = [await world.aFilledTenant(), await world.aFilledTenant()];
    const filled = kindsOf(await rowsOf(leaving));
    const [before, objects] = [await rowsOf(other), world.objectsOf(other)];
    await world.ask(leaving.tenantId);

    await world.untilDeleted(leaving.tenantId);

    expect([keysOf(await rowsOf(leaving)), world.objectsOf(leaving)]).toEqual([staying(leaving), []]);
    expect(await rowsOf(other)).toEqual(before);
    expect(world.objectsOf(other)).toEqual(objects);
    const goes = Object.entries(tenantPartitions).filter(([, rule]) => !['by_itself', 'not'].includes(rule.goes));
    expect(filled.filter((kind) => kind in Object.fromEntries(goes))).toEqual(goes.map(([kind]) => kind));
    const { standing } = (await findTenant(world.archive.stack, leaving.tenantId)) ?? {};
    expect(standing).toMatchObject({
      state: 'deleted',
      removed: { connections: 3, messages: 8, chats: 3, contacts: 2, historyRows: 1, files: 2, webhooks: 1, keys: 1 },
    });
  });

  it('has a rule for each kind of partition that any process may touch', () => {
    const kinds = Object.values(processAccess)
      .flatMap(({ tables }) => tables.filter(({ table, onShardIndex }) => table === 'core' && onShardIndex !== true))
      .flatMap(({ keys = [] }) => keys.map((key) => key.split('#')[0] ?? ''));

    expect([...new Set(kinds)].toSorted()).toEqual(Object.keys(tenantPartitions).toSorted());
  });

  it('leaves the same wherever a process dies that is at work on it', async () => {
    let deaths = 0;
    for (let [at, isOver] = [1, false]; !isOver; at += 1) {
      for (const when of ['before', 'after'] as const) {
        if (!isPlayed(2 * at + (when === 'after' ? 1 : 0), ONE_OF)) continue;
        const leaving = await world.aFilledTenant();
        await world.ask(leaving.tenantId);
        const life = new Life({ at, when });

        await world.untilDeleted(leaving.tenantId, life);
        await world.round();

        const left = [keysOf(await rowsOf(leaving)), world.objectsOf(leaving)];
        expect([at, when, ...left]).toEqual([at, when, staying(leaving), []]);
        deaths += life.isDead ? 1 : 0;
        isOver = !life.isDead;
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(5);
  });

  it('is counted as one that stands still where a connection does not end for an hour', async () => {
    const { tenantId } = await world.aFilledTenant();
    const { metrics } = world.archive.stack;
    await world.ask(tenantId);
    const before = metrics.totalOf('ArchiveStuck', {});

    await world.archive.run();
    const early = metrics.totalOf('ArchiveStuck', {});
    world.archive.aheadMs += 3_700_000;
    await world.archive.run();

    expect([early - before, metrics.totalOf('ArchiveStuck', {}) - before]).toEqual([0, 1]);
    await world.untilDeleted(tenantId);
  });
});
