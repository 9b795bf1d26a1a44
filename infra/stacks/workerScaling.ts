import { Duration } from 'aws-cdk-lib';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { holdfastMetric } from '../alarms/holdfastMetric.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * The target leaves room for the connections of a worker that dies, and for new ones in the minutes until another
 * worker has started.
 */
const TARGET_PERCENT = 80;

/**
 * Scales the service by how full the leader says that the fleet is: out within minutes, in slowly, because each worker
 * that goes hands all its connections over.
 */
export function scaleByUtilisation(
  service: FargateService,
  { stage, workers, workersMost }: Pick<Settings, 'stage' | 'workers' | 'workersMost'>,
): void {
  const scaling = service.autoScaleTaskCount({ minCapacity: workers, maxCapacity: workersMost });
  scaling.scaleToTrackCustomMetric('Utilisation', {
    // The average of a minute is the leader's figure, because nobody else reports it.
    metric: holdfastMetric(stage, 'FleetUtilisation', {}, { statistic: 'Average', minutes: 1 }),
    targetValue: TARGET_PERCENT,
    scaleOutCooldown: Duration.minutes(3),
    scaleInCooldown: Duration.minutes(15),
  });
}
