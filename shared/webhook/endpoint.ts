import { z } from 'zod';
import { eventTypes, type EventType } from '../event/event.ts';
import type { EndpointId, TenantId } from '../kernel/id.ts';
import type { Secret } from '../kernel/secret.ts';
import { stateOf, type EndpointBreaker } from './endpointBreaker.ts';

/**
 * The greatest number of endpoints of one tenant: each of them gets each event, so their number multiplies the work.
 */
export const ENDPOINT_LIMIT = 10;

/** The fields that a tenant gives to make an endpoint. */
export const newEndpointSchema = z
  .strictObject({
    url: z.string().min(1).max(2_048).meta({ description: 'https, with a public address.' }),
    events: z
      .array(z.enum(eventTypes))
      .min(1)
      .max(eventTypes.length)
      .optional()
      .meta({ description: 'Types of events to deliver. All, if left out.' }),
  })
  .meta({ id: 'NewWebhook' });
export type NewEndpoint = z.infer<typeof newEndpointSchema>;

/** A tenant's webhook URL with its signing secret. */
export interface Endpoint {
  readonly tenantId: TenantId;
  readonly endpointId: EndpointId;
  readonly url: string;
  /** The types to deliver; undefined means all. */
  readonly events: readonly EventType[] | undefined;
  /** `disabled`: the receiver answered 410 Gone. */
  readonly state: 'active' | 'disabled';
  readonly secret: Secret;
  /** The state of its breaker, by which it is posted to or not after failures. */
  readonly breaker: EndpointBreaker;
  readonly createdAtMs: number;
}

/** Whether an event of this type is delivered to the endpoint. */
export function wants(endpoint: Pick<Endpoint, 'events' | 'state'>, type: EventType): boolean {
  return endpoint.state === 'active' && (endpoint.events?.includes(type) ?? true);
}

/** An endpoint as its tenant sees it; the secret is shown once, when it is made. */
export const endpointViewSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.enum(eventTypes)).optional(),
    state: z.enum(['active', 'disabled']),
    breaker: z
      .object({
        state: z.enum(['closed', 'open', 'half_open']),
        failures: z.number().int().meta({ description: 'Attempts in a row that failed. Five open the breaker.' }),
        nextTrialAt: z.iso.datetime().optional().meta({ description: 'While it is open: when one delivery is tried.' }),
      })
      .meta({
        description:
          'Closed: deliveries are posted. Open, after five failed attempts in a row, for 5 seconds at first and at most 60: they wait, and none is lost. Half open: one is posted, and its success closes it; what waits follows within seconds.',
      }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Webhook' });
export type EndpointView = z.infer<typeof endpointViewSchema>;

/** The view of an endpoint. */
export function toEndpointView(endpoint: Endpoint, nowMs: number): EndpointView {
  const { failures, openUntilMs } = endpoint.breaker;
  const state = stateOf(endpoint.breaker, nowMs);
  return {
    id: endpoint.endpointId,
    url: endpoint.url,
    ...(endpoint.events === undefined ? {} : { events: [...endpoint.events] }),
    state: endpoint.state,
    breaker: {
      state,
      failures,
      ...(state === 'open' && openUntilMs !== undefined ? { nextTrialAt: new Date(openUntilMs).toISOString() } : {}),
    },
    createdAt: new Date(endpoint.createdAtMs).toISOString(),
  };
}
