import type { CoreTable } from '../../shared/connection/ownedItem.ts';
import { recordSendsPause } from '../../shared/connection/sendsPause.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Metrics } from '../../shared/platform/metrics.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { ShownPause } from './outboxDependencies.ts';

export interface ShownPauseDependencies extends Pick<Surroundings, 'logger'>, CoreTable {
  readonly owned: OwnedConnection;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly metrics: Pick<Metrics, 'count'>;
}

/**
 * Shows everybody that messages of a connection wait: in the log, in the metrics, and through its record to the tenant.
 * Writes go one at a time, the newest last. A write that fails is only logged, and its time passes anyway.
 */
export function showSendsPause(dependencies: ShownPauseDependencies): (pause: ShownPause | undefined) => void {
  const { owned, clock, logger, metrics } = dependencies;
  let writing: Promise<unknown> = Promise.resolve();
  return (shown) => {
    if (shown === undefined) logger.info('sends go on');
    else {
      logger.warn('messages wait for whatsapp', { operation: shown.code, delayMs: shown.durationMs });
      metrics.count('BreakerOpened', { dependency: shown.code === 'sends_paused' ? 'sends' : 'look_ups' });
    }
    const pause = shown === undefined ? undefined : { code: shown.code, untilMs: clock.nowMs() + shown.durationMs };
    writing = writing
      .then(() => recordSendsPause(dependencies, owned, pause))
      .catch((error: unknown) => logger.warn('pause of sends could not be shown', { error }));
  };
}
