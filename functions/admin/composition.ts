import { makeQueueClient } from '../../shared/platform/aws.ts';
import type { AdminConfig } from '../../shared/platform/config.ts';
import { composeHttp } from '../http/composeHttp.ts';
import type { AdminDependencies } from './handler.ts';

/** The parts of the function that serves operators. */
export function composeAdmin(config: AdminConfig): AdminDependencies {
  const http = composeHttp(config, 'admin');
  return {
    ...http,
    queue: makeQueueClient(config, { breakers: http.breakers }),
    queueUrlBase: config.queueUrlBase,
  };
}
