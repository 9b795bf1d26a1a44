import { Duration } from 'aws-cdk-lib';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { holdfastMetric } from '../alarms/holdfastMetric.ts';
import type { Settings } from '../settings/settings.ts';

/** Room for the connections of a worker that dies, and for those of the minutes until a new one has started. */
const TARGET_PERCENT = 80;

/**
 * The leader knows how full the fleet is, and the service follows it. Out within minutes; in slowly, because each worker
 * that goes hands all its sockets over.
 */
export function scaleByUtilisation(
  service: FargateService,
  { stage, workers, workersMost }: Pick<Settings, 'stage' | 'workers' | 'workersMost'>,
): void {
  const scaling = service.autoScaleTaskCount({ minCapacity: workers, maxCapacity: workersMost });
  scaling.scaleToTrackCustomMetric('Utilisation', {
    // The average of a minute is that of the leader: nobody else says it.
    metric: holdfastMetric(stage, 'FleetUtilisation', {}, { statistic: 'Average', minutes: 1 }),
    targetValue: TARGET_PERCENT,
    scaleOutCooldown: Duration.minutes(3),
    scaleInCooldown: Duration.minutes(15),
  });
}
