import type { Attempt } from '../../shared/webhook/attempt.ts';
import type { ChainName } from '../../shared/webhook/chain.ts';
import { passAllOfChain } from '../../shared/webhook/chainStore.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { AttemptDependencies, Attempted } from './attemptDelivery.ts';
import type { DeliveryInHand } from './deliveryInHand.ts';
import { endAtDisabled } from './disableEndpoint.ts';

/** Ends what stands for a chain whose endpoint is disabled: what failed waits for the day on which it is resumed, and 410 wants none of it. */
export async function endChainAtDisabled(
  dependencies: AttemptDependencies,
  one: DeliveryInHand,
  name: ChainName,
  endpoint: Endpoint,
  before: readonly Attempt[] = [],
): Promise<Attempted> {
  if (endpoint.disabling?.because === 'gone') await passAllOfChain(dependencies, name, dependencies.clock.nowMs());
  await endAtDisabled(dependencies, one, endpoint);
  return { end: 'done', before };
}
