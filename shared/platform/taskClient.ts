import { ECSClient } from '@aws-sdk/client-ecs';
import { clientSettings } from './aws.ts';
import type { StoreConfig } from './config.ts';

/** ECS, for stopping tasks. */
export function makeTaskClient(config: StoreConfig): ECSClient {
  return new ECSClient(
    clientSettings(config, undefined, { sockets: 4, deadlineMs: config.storeTimeoutMs, attempts: 3 }),
  );
}
