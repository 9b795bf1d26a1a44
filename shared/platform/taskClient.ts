import { ECSClient } from '@aws-sdk/client-ecs';
import { guardCalls } from './callGuards.ts';
import { clientSettings, makeHandler, storeBounds } from './clientSettings.ts';
import type { StoreConfig } from './storeConfig.ts';

/** Makes the client of ECS, for stopping tasks. It has no breaker: the watchdog calls once a minute at most. */
export function makeTaskClient(config: StoreConfig): ECSClient {
  const bounds = storeBounds(config);
  const handler = makeHandler(4, bounds);
  const client = new ECSClient(clientSettings(config, undefined, handler, bounds));
  return guardCalls(client, handler, undefined, bounds.callMs, {});
}
