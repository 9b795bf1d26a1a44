import type { Fact } from '../../shared/event/facts/fact.ts';
import type { CorrelationId } from '../../shared/kernel/id.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';

/** Hands facts to ingest. Facts of one connection keep their order; one publish per connection is in flight at a time. */
export interface FactPublisher {
  /**
   * Resolves when the queue has the facts: from then on they are durable.
   * Rejects when the queue did not take them within the deadline; the caller must then not receipt what they came from.
   */
  readonly publish: (
    connection: OwnedConnection,
    facts: readonly Fact[],
    correlationId: CorrelationId,
  ) => Promise<void>;
}
