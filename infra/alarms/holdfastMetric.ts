import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { DimensionsOf, MetricName } from '../../shared/platform/metricCatalogue.ts';
import { METRIC_NAMESPACE } from '../../shared/platform/metrics.ts';

/**
 * A metric that our processes write, under exactly the dimensions under which they write it. Only metrics of the
 * catalogue compile.
 */
export function holdfastMetric<Name extends MetricName>(
  stage: string,
  name: Name,
  dimensions: DimensionsOf<Name>,
  options: { readonly statistic: string; readonly minutes: number },
): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: name,
    dimensionsMap: { stage, ...dimensions },
    statistic: options.statistic,
    period: Duration.minutes(options.minutes),
  });
}
