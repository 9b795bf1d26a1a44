import { z } from 'zod';
import type { DraftOf } from './facts/eventRow.ts';
import { factRows, type FactKind } from './facts/factRows.ts';

/**
 * The events that tenants are told: the envelope that the event log keeps, `GET /v1/events` answers and webhooks carry,
 * in the same bytes. The id is the place in the tenant's log: it orders the events of a connection, and a receiver
 * recognises a repeated delivery by it. The types of events stand with the facts that they are made of (`facts/factRows`).
 */
type AnyEventRow = (typeof factRows)[FactKind]['events'][number];
export type EventType = AnyEventRow['type'];

/** Every type of event once, in the order of the facts. */
export const eventRows: readonly AnyEventRow[] = [
  ...new Set(Object.values(factRows).flatMap(({ events }): readonly AnyEventRow[] => events)),
];
export const eventTypes = eventRows.map(({ type }) => type) as [EventType, ...EventType[]];

const envelope = {
  id: z.string().meta({
    description: 'Place in the log, and the same in every delivery. Ids of one connection sort in its order.',
    example: 'evt_000000000001A00',
  }),
  version: z.literal(1),
  tenantId: z.string(),
  connectionId: z.string(),
  correlationId: z.string().meta({ description: 'Follows one request through command, event, delivery and log.' }),
  occurredAt: z.iso.datetime().meta({ description: 'When it happened, not when it was recorded.' }),
} as const;

/** An event that has no place in the log yet. */
export type EventDraft = DraftOf<AnyEventRow>;
type WithId<Draft> = Draft extends unknown ? { readonly id: string } & Draft : never;
export type TenantEvent = WithId<EventDraft>;

const schemas = eventRows.map((row) =>
  z
    .object({ ...envelope, type: z.literal(row.type), data: row.data })
    .meta({ description: row.description, examples: [toExample(row)] }),
);
const [first, ...others] = schemas;

/** The schema of each event, by its type. */
export const eventSchemas = Object.fromEntries(
  schemas.map((schema) => [schema.shape.type.value, schema]),
) as unknown as Readonly<Record<EventType, z.ZodType>>;

/** One event, by type. */
export const eventSchema = z
  .discriminatedUnion('type', [first as NonNullable<typeof first>, ...others])
  .meta({ id: 'Event' }) as unknown as z.ZodType<TenantEvent>;

/** An event of a type as it is told, for the documents. */
export function toExample({ type, example }: AnyEventRow): TenantEvent {
  return {
    id: 'evt_000000000001A00',
    version: 1,
    tenantId: 'tnt_01K3C4ZQ7R9T1V3X5Z7B9D1F3H',
    connectionId: 'con_01K3C50A2C4E6G8J0M2P4R6T8W',
    occurredAt: '2026-08-01T12:00:05.000Z',
    type,
    correlationId: 'cor_01K3C5F7XN3P5R7T9V1X3Z5B7D',
    data: example,
  } as TenantEvent;
}
