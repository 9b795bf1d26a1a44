import type { Fact } from '../../shared/event/facts/factRows.ts';
import type { CorrelationId } from '../../shared/kernel/id.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';

/**
 * Publishes facts to ingest. Facts of one connection keep their order; one publish for each connection is in flight at
 * a time.
 */
export interface FactPublisher {
  /**
   * Resolves when the queue has the facts: from then on they are durable. Rejects when the queue did not accept them
   * within the deadline; the caller must then not receipt the stanza that they came from.
   */
  readonly publish: (
    connection: OwnedConnection,
    facts: readonly Fact[],
    correlationId: CorrelationId,
  ) => Promise<void>;
}
