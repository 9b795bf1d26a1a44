import type { Settings } from './settings.ts';

/**
 * How ECS replaces workers: none is stopped before a new one is healthy, and all new ones start beside all old ones. So the
 * new ones share all shards from the beginning, and each socket moves once. Started in parts, the first ones would take
 * more than their share and hand it on when the last are there. Old ones keep their tasks from being stopped until they
 * are empty (docs/lifecycle.md, "Deploys"), so this holds for a fleet of any size.
 */
export const deploymentPercents = { minHealthyPercent: 100, maxHealthyPercent: 200 } as const;

/** The most tasks that run at the same time: the scaled-out service, and those that a deploy adds to its usual size. */
export function mostTasks({ workers, workersMost }: Pick<Settings, 'workers' | 'workersMost'>): number {
  return workersMost + (workers * deploymentPercents.maxHealthyPercent) / 100 - workers;
}
