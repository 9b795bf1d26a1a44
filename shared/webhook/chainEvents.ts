import type { EventLogDependencies } from '../event/eventLog.ts';
import { writeEach, writeTogether } from '../event/recording/writeRows.ts';
import type { ConnectionId } from '../kernel/id.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { expiryOf } from '../platform/expiry.ts';
import { chainedEventKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { chainDelivery } from './chain.ts';
import { wantedOf, type Delivery, type DeliverableEvent } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';

type ChainEventDependencies = EventLogDependencies & Pick<Surroundings, 'random'>;

/** Whether an endpoint gets the events of a connection one after the other. */
export function isStrict({ order }: Pick<Endpoint, 'order'>): boolean {
  return order === 'strict';
}

/**
 * Puts events of one connection into its chains, at the endpoints in strict order that want them. Returns a delivery for each of these chains,
 * which is to be queued afterwards. The rows have no condition but that none is there: written twice they say the same. Throws when one
 * is not written; then none of the deliveries may be queued, or what comes later would pass it.
 * @param events in their order
 * @param isBack whether the chains are to go back to the first of the events
 */
export async function putIntoChains(
  dependencies: ChainEventDependencies,
  endpoints: readonly Endpoint[],
  connectionId: ConnectionId,
  events: readonly DeliverableEvent[],
  isBack = false,
): Promise<readonly Delivery[]> {
  const { stage, clock } = dependencies;
  const ttl = expiryOf('event', clock.nowMs());
  const chains = endpoints
    .filter(isStrict)
    .map((endpoint) => ({ endpoint, wanted: wantedOf(endpoint, events) }))
    .filter(({ wanted }) => wanted.length > 0);
  const rows = chains.flatMap(({ endpoint, wanted }) =>
    wanted.map(({ eventId }) => ({
      Put: {
        TableName: tableName(stage, 'core'),
        Item: { ...chainedEventKey(endpoint.endpointId, connectionId, eventId), ttl },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    })),
  );
  const outcomes = await writeTogether(dependencies, rows);
  const left = rows.filter((_row, place) => outcomes[place] !== 'written' && outcomes[place] !== 'refused');
  for (const outcome of await writeEach(dependencies, left)) {
    if (typeof outcome === 'object') throw outcome.error;
    if (outcome === 'left') throw new Error('an event of a chain could not be written');
  }
  return chains.flatMap(({ endpoint, wanted: [first] }) =>
    first === undefined ? [] : [chainDelivery(endpoint, connectionId, first, isBack ? first.eventId : undefined)],
  );
}
