import { ownershipSettings } from '../../shared/platform/ownershipConfig.ts';
import type { Settings } from './settings.ts';

/** The share of its time after which a worker that drains releases what nobody took (docs/protocol.md). */
const RELEASE_AFTER = 0.75;
/** Where not all can be replaced at once, this share of the workers is, and at least one. */
const PART_PERCENT = 25;

/**
 * How ECS replaces workers. None is stopped before a new one is healthy. New ones start beside all old ones where the fleet
 * may open all its sockets within the time that a drain has: then the new ones share all shards from the beginning, and each
 * socket moves once. Started in parts, the first ones would take more than their share and hand it on when the last are
 * there. A larger fleet is replaced in parts all the same, because sockets that cannot be opened in time would be away for
 * minutes.
 */
export function deploymentPercents({ workers, workerConnections }: Pick<Settings, 'workers' | 'workerConnections'>): {
  readonly minHealthyPercent: number;
  readonly maxHealthyPercent: number;
} {
  const drainMs = ownershipSettings.HOLDFAST_DRAIN_TIMEOUT_MS.parse(undefined);
  const opensPerSecond = ownershipSettings.HOLDFAST_FLEET_OPENS_PER_SECOND.parse(undefined);
  const openedInTime = (opensPerSecond * drainMs * RELEASE_AFTER) / 1_000;
  const atOncePercent =
    workers * workerConnections <= openedInTime ? 100 : Math.max(PART_PERCENT, Math.ceil(100 / workers));
  return { minHealthyPercent: 100, maxHealthyPercent: 100 + atOncePercent };
}

/** The most tasks that run at the same time: the scaled-out service, and those that a deploy adds to its usual size. */
export function mostTasks(settings: Pick<Settings, 'workers' | 'workersMost' | 'workerConnections'>): number {
  const { workers, workersMost } = settings;
  // ECS rounds down.
  return workersMost + Math.floor((workers * deploymentPercents(settings).maxHealthyPercent) / 100) - workers;
}
