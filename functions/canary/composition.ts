import { systemClock } from '../../shared/kernel/clock.ts';
import type { CanaryConfig } from '../../shared/platform/canaryConfig.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { makeCanaryHandler } from './handler.ts';
import { makeFunctionMetrics, thenFlush } from '../runtime/functionMetrics.ts';
import { readParameter } from '../http/readParameter.ts';

/** The canary function. */
export function composeCanary(config: CanaryConfig) {
  const { stage, logLevel, apiUrl, connectionId, extensionUrl, sessionToken, keyParameter } = config;
  const logger = makeLogger('canary', logLevel).child({ stage });
  const metrics = makeFunctionMetrics(config, 'canary', logger);
  const readKey = () => readParameter(extensionUrl, sessionToken, keyParameter);
  const handle = makeCanaryHandler({ apiUrl, connectionId, readKey, clock: systemClock, metrics, logger });
  return thenFlush(metrics, handle);
}
