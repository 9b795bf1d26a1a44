import { defaultFigures } from './cost/assumptions.ts';
import { shapeFor } from './cost/shape.ts';
import type { Fleet } from './readFleet.ts';
import { counted } from './sentence.ts';
import { ableWorkers } from './status.ts';

/**
 * The number of workers and shards that the cost model asks for, beside the present number. The command changes
 * nothing: their number is decided where the workers are run (ECS, `npm start -- --workers`), and another number here
 * would be undone.
 */
export function scaleLines(fleet: Fleet, wanted: number | undefined): readonly string[] {
  const now = fleet.workers
    .filter(({ state }) => state !== 'DEAD')
    .reduce((sum, { load }) => sum + load.connections, 0);
  const connections = Math.max(1, wanted ?? now);
  const { workers, shards, perWorker } = shapeFor(connections, { ...defaultFigures, leastShards: 1 });
  const able = ableWorkers(fleet).length;
  const idle = Math.max(0, able - fleet.shards.length);
  return [
    `${counted(now, 'connection')} on ${counted(able, 'worker')} that take work, ${counted(fleet.shards.length, 'shard')}`,
    `${wanted === undefined ? 'these' : counted(wanted, 'connection')} need ${counted(workers, 'worker')} (at most ${perWorker} connections each) and ${counted(shards, 'shard')}`,
    ...(workers > able ? [`start ${counted(workers - able, 'worker')} more`] : []),
    ...(shards > fleet.shards.length ? [`add ${counted(shards - fleet.shards.length, 'shard')}`] : []),
    ...(idle > 0 ? [`${counted(idle, 'worker')} can own nothing: there are fewer shards than workers`] : []),
    ...(workers < able ? [`${counted(able - workers, 'worker')} could be drained: npm run ops -- drain WORKER`] : []),
  ];
}
