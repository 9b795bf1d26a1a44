import { z } from 'zod';
import type { ConnectionId, CorrelationId, TenantId } from '../kernel/id.ts';
import { brandedText } from './facts/factField.ts';
import { factSchema } from './facts/factRows.ts';

/**
 * The fields around the facts in one message of the events queue, with the facts not looked at yet: each is judged by
 * itself, so that one which is wrong does not cost the others.
 */
export const batchEnvelopeSchema = z.object({
  version: z.literal(1),
  tenantId: brandedText<TenantId>(),
  connectionId: brandedText<ConnectionId>(),
  shard: z.number().int().min(0),
  /** The shard's epoch under which the facts were seen. */
  token: z.number().int().min(1),
  correlationId: brandedText<CorrelationId>(),
  /** An id that is unique to this publish; a redelivery of the same SQS message carries the same one. */
  batchId: z.string().min(1),
  /** The facts, under the name that they have had on the wire from the first release on. */
  events: z.array(z.unknown()).min(1).max(1_000),
});
export type BatchEnvelope = z.infer<typeof batchEnvelopeSchema>;

/** The body of one message in the events queue: facts of one connection, in order, at most 64 KB. Group = connection id. */
export const factBatchSchema = batchEnvelopeSchema.extend({
  events: z.array(factSchema).min(1).max(100),
});
export type FactBatch = z.infer<typeof factBatchSchema>;
