import { makeWatchdogHandler } from '../../functions/watchdog/handler.ts';
import { composeWatchdog } from '../../functions/watchdog/composition.ts';
import type { WatchdogDependencies } from '../../functions/watchdog/handler.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { watchdogConfig } from '../../shared/platform/config.ts';
import type { WorkerRoom } from './workerRoom.ts';

const EVERY_MS = 1_000;

/** Runs the watchdog again and again, with timings in proportion to production's. Returns what ends it. */
export function watchFrom(room: WorkerRoom, { stopTask }: Pick<WatchdogDependencies, 'stopTask'>): () => Promise<void> {
  const config = watchdogConfig({ ...room.stores(), HOLDFAST_ECS_CLUSTER: 'local' });
  const rules = {
    ...config.rules,
    everyMs: EVERY_MS,
    staleMs: 3_000,
    connectingMs: 4_000,
    deathMs: 6_000,
    restartRestMs: 2_000,
    handOffRestMs: 6_000,
    stopRestMs: 6_000,
    stopEveryMs: 10_000,
    recoveredMs: 20_000,
  };
  const watchdog = composeWatchdog({ ...config, rules }, { stopTask, destination: { write: () => undefined } });
  const handler = makeWatchdogHandler(watchdog);
  const ended = new AbortController();
  const loop = (async () => {
    while (!ended.signal.aborted) {
      await handler();
      await systemClock.sleep(EVERY_MS, ended.signal);
    }
  })();
  return async () => {
    ended.abort();
    await loop;
  };
}
