import type { CoreTable } from '../../shared/connection/ownedItem.ts';
import { recordSendsPause } from '../../shared/connection/sendsPause.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { Metrics } from '../../shared/platform/metrics.ts';
import type { OwnedConnection } from '../socket/connectionSocket.ts';

export interface ShownPauseDependencies extends CoreTable {
  readonly owned: OwnedConnection;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'count'>;
}

/**
 * Tells everybody that a connection's sends are paused: the log, the metrics, and through its record the tenant. One write at a
 * time, the newest last. It is only shown: one that fails is logged, and its time passes anyway.
 */
export function showSendsPause(dependencies: ShownPauseDependencies): (durationMs: number | undefined) => void {
  const { owned, clock, logger, metrics } = dependencies;
  let writing: Promise<unknown> = Promise.resolve();
  return (durationMs) => {
    if (durationMs === undefined) logger.info('sends go on');
    else {
      logger.warn('sends paused: whatsapp does not answer them', { delayMs: durationMs });
      metrics.count('BreakerOpened', { dependency: 'sends' });
    }
    const untilMs = durationMs === undefined ? undefined : clock.nowMs() + durationMs;
    writing = writing
      .then(() => recordSendsPause(dependencies, owned, untilMs))
      .catch((error: unknown) => logger.warn('pause of sends could not be shown', { error }));
  };
}
