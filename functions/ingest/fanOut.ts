import type { LoggedEvent } from '../../shared/event/recording/loggedEvent.ts';
import type { FactInHand } from '../../shared/event/recording/factInHand.ts';
import { isStrict, putIntoChains } from '../../shared/webhook/chainEvents.ts';
import { sendDeliveries, toDeliveries, type Delivery, type DeliveryQueue } from '../../shared/webhook/delivery.ts';
import type { EndpointLists } from './endpointLists.ts';
import type { Portion } from './recordsInHand.ts';

/** Records whose facts are in the log, with the events that are to be delivered. */
export interface RecordedPortion {
  readonly portion: Portion;
  readonly events: readonly LoggedEvent[];
  readonly facts: readonly FactInHand[];
}

type FanOutDependencies = DeliveryQueue & Parameters<typeof putIntoChains>[0];

/**
 * Puts the deliveries of all events into the queue, together. Returns the failures: for portions that are not in it, the
 * deliveries of which are put in again when their records come again. Receivers know a repetition by the event id.
 */
export async function fanOut(
  dependencies: FanOutDependencies,
  lists: EndpointLists,
  recorded: readonly RecordedPortion[],
): Promise<ReadonlyMap<RecordedPortion, unknown>> {
  const failures = new Map<RecordedPortion, unknown>();
  const deliveries = new Map<RecordedPortion, readonly Delivery[]>();
  await Promise.all(
    recorded.map(async (one) => {
      try {
        deliveries.set(one, await deliveriesOf(dependencies, lists, one));
      } catch (error) {
        failures.set(one, error);
      }
    }),
  );
  try {
    await sendDeliveries(dependencies, [...deliveries.values()].flat());
  } catch (error) {
    const [only, ...others] = [...deliveries.keys()];
    if (only !== undefined && others.length === 0) return failures.set(only, error);
    // The one that is not in the queue is found out when each is sent alone.
    const alone = [...deliveries].map(([one, of]) =>
      sendDeliveries(dependencies, of).catch((reason: unknown) => failures.set(one, reason)),
    );
    await Promise.all(alone);
  }
  return failures;
}

async function deliveriesOf(
  dependencies: FanOutDependencies,
  lists: EndpointLists,
  { portion, events }: RecordedPortion,
): Promise<readonly Delivery[]> {
  const [first] = portion.records;
  if (events.length === 0 || first === undefined || !('batch' in first.read)) return [];
  const { tenantId, connectionId } = first.read.batch;
  const endpoints = await lists.of(tenantId);
  // Events of a chain are written before anything stands for them, and so before any later event of their connection.
  const chained = await putIntoChains(dependencies, endpoints, connectionId, events);
  const others = endpoints.filter((endpoint) => !isStrict(endpoint));
  return [...chained, ...toDeliveries(others, events)];
}
