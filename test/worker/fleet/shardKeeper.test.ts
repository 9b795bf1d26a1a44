import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { noOrders } from '../../../shared/fleet/fleetView.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { ShardKeeper } from '../../../worker/fleet/shardKeeper.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { until } from '../../whatsapp/until.ts';
import { openGate } from './gates.ts';
import { startFleets, timings } from './members.ts';

const SHARD = 0;

let fleets: Awaited<ReturnType<typeof startFleets>>;
let keepers: ShardKeeper[];
beforeAll(async () => {
  fleets = await startFleets();
});
beforeEach(async () => {
  await fleets.newStage();
  keepers = [];
});
afterEach(async () => {
  for (const keeper of keepers) await keeper.stop();
});
afterAll(() => fleets.stop());

const aWorker = async () => {
  const workerId = makeId('wrk', systemClock.nowMs(), systemRandom);
  const lease = { taskId: `task-${workerId}`, workerId, deployGeneration: 0, zone: undefined };
  await fleets.store().createLease(lease, systemClock.nowMs());
  return lease;
};

it('a shard is taken that is given after the order to watch it has ended, since the giver may have read of the watching before', async () => {
  const store = fleets.store();
  const [giver, own] = [await aWorker(), await aWorker()];
  const epoch = await store.claim({ shard: SHARD, owner: undefined, epoch: 0, next: undefined }, giver);
  const mine = { shard: SHARD, owner: giver.workerId, epoch: Number(epoch), next: own.workerId };
  const keeper = new ShardKeeper({
    store,
    own,
    config: timings,
    gate: openGate,
    clock: systemClock,
    logger: silentLogger,
    metrics: keepingMetrics(),
    isDraining: () => false,
    onExpecting: () => undefined,
    onClaimed: () => Promise.resolve(),
    onLeaving: () => Promise.resolve(),
    onLost: () => Promise.resolve(),
    onBroken: () => undefined,
  });
  keepers.push(keeper);
  keeper.start();

  keeper.follow({ ...noOrders, expect: [SHARD] });
  keeper.follow(noOrders);
  // The row is read once more when an order ends; the gift comes later than that.
  await systemClock.sleep(10 * timings.watchMs);
  await store.offer({ ...mine, next: undefined }, own);
  await store.give(mine, own);

  const held = await until(
    'the shard',
    () => keeper.owned().get(SHARD),
    (heldEpoch) => heldEpoch !== undefined,
  );
  expect(held).toBe(2);
});
