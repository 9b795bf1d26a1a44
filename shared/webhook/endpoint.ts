import { z } from 'zod';
import { chatKindOf, chatKinds, type ChatKind } from '../connection/chatKind.ts';
import { eventTypes, type EventType } from '../event/event.ts';
import type { ConnectionId, CorrelationId, EndpointId, TenantId } from '../kernel/id.ts';
import type { Secret } from '../kernel/secret.ts';
import { headersSchema, withoutValues } from './customHeaders.ts';
import { stateOf, type EndpointBreaker } from './endpointBreaker.ts';
import { BATCH_EVENTS } from './eventBatch.ts';

/** The most connections that an endpoint names: of more, all are better wanted and some passed over. */
const MOST_CONNECTIONS = 100;

/** In which order an endpoint gets the events of a connection. */
const orders = ['fast', 'strict'] as const;

const url = z.string().min(1).max(2_048).meta({ description: 'https, with a public address.' });
const choice = {
  events: z
    .array(z.enum(eventTypes))
    .min(1)
    .max(eventTypes.length)
    .meta({ description: 'Types of events to deliver. All, if left out.' }),
  connectionIds: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(MOST_CONNECTIONS)
    .meta({ description: 'Connections whose events to deliver. All, if left out.' }),
  chatKinds: z.array(z.enum(chatKinds)).min(1).max(chatKinds.length).meta({
    description: 'Kinds of chats to deliver events about. With it, events about no chat are left out.',
  }),
  headers: headersSchema,
  batch: z.strictObject({ maxEvents: z.number().int().min(1).max(BATCH_EVENTS) }).meta({
    description:
      'Have events of one connection that are recorded together in one request: `{"events": [...]}`, 48 KB at most.',
    example: { maxEvents: 100 },
  }),
  order: z.enum(orders).meta({
    description:
      'strict: an event is posted once all earlier ones of its connection have been taken or given up. fast, if left out: each as soon as it is there.',
  }),
} as const;
type ChoiceName = keyof typeof choice;

/** The fields that a tenant gives to make an endpoint. */
export const newEndpointSchema = z
  .strictObject({ url, ...z.object(choice).partial().shape })
  .meta({ id: 'NewWebhook' });
export type NewEndpoint = z.infer<typeof newEndpointSchema>;

/** What of an endpoint changes: a field that is left out stays, and null takes a choice away. */
export const endpointChangeSchema = z
  .strictObject({
    url: url.optional(),
    events: choice.events.nullable().optional(),
    connectionIds: choice.connectionIds.nullable().optional(),
    chatKinds: choice.chatKinds.nullable().optional(),
    headers: choice.headers.nullable().optional(),
    batch: choice.batch.nullable().optional(),
    order: choice.order.nullable().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' })
  .meta({
    id: 'WebhookChange',
    description: 'A field that is left out stays; null takes a choice away.',
    example: { events: ['message.received'], chatKinds: ['people'], headers: null },
  });
export type EndpointChange = z.infer<typeof endpointChangeSchema>;

/** Why a webhook is disabled: its receiver answered 410 Gone, or has taken nothing for five days. */
export const disablingCauses = ['gone', 'failing'] as const;

/** How a webhook came to be disabled. */
export interface Disabling {
  readonly because: (typeof disablingCauses)[number];
  readonly atMs: number;
  /** The connection and the request of the event that was posted last. */
  readonly connectionId: ConnectionId;
  readonly correlationId: CorrelationId;
  readonly failingSinceMs?: number | undefined;
  /** Whether its event is told. */
  readonly isTold: boolean;
}

/** A tenant's webhook URL with its signing secret. */
export interface Endpoint {
  readonly tenantId: TenantId;
  readonly endpointId: EndpointId;
  readonly url: string;
  /** The types to deliver; undefined means all. */
  readonly events: readonly EventType[] | undefined;
  /** The connections whose events to deliver; undefined means all. */
  readonly connectionIds?: readonly string[] | undefined;
  /** The kinds of chats to deliver events about; undefined means all, and events about no chat. */
  readonly chatKinds?: readonly ChatKind[] | undefined;
  /** Headers that each post has beside ours. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The most events that go in one request; undefined where each goes alone. */
  readonly batch?: { readonly maxEvents: number } | undefined;
  /** `strict`: the events of a connection go one after the other (`chain.ts`); `fast` where it is left out. */
  readonly order?: (typeof orders)[number] | undefined;
  /** `disabled`: nothing is posted to it, until its tenant resumes it. */
  readonly state: 'active' | 'disabled';
  /** Whether its tenant is suspended: what is to be delivered is kept until it is not. */
  readonly isHeld?: boolean | undefined;
  /** How it came to be disabled; undefined while it is active. */
  readonly disabling?: Disabling | undefined;
  /** When the first attempt of those failed since which none has succeeded; undefined where the last one succeeded. */
  readonly failingSinceMs?: number | undefined;
  /** Until when it counts as slow at least (`slowEndpoint.ts`); undefined where it never was. */
  readonly slowUntilMs?: number | undefined;
  readonly secret: Secret;
  /** The secret before this one, with which posts are signed as well until a time. */
  readonly previousSecret?: { readonly secret: Secret; readonly untilMs: number } | undefined;
  /** The state of its breaker, by which it is posted to or not after failures. */
  readonly breaker: EndpointBreaker;
  readonly createdAtMs: number;
}

/** What of an event decides whether an endpoint wants it. */
export interface WantedParts {
  readonly type: EventType;
  readonly connectionId: string;
  /** The address of the chat that it is about; undefined where it is about none. */
  readonly chat: string | undefined;
}

/**
 * Events about the tenant's webhooks and not about a connection: the one that they name is only where it was found out. So no choice of
 * connections or chats leaves them out.
 */
const OF_TENANT: ReadonlySet<EventType> = new Set(['webhook.disabled']);

/** Whether an event is delivered to the endpoint. */
export function wants(
  { state, events, connectionIds, chatKinds: kinds }: Pick<Endpoint, 'state' | ChoiceName>,
  { type, connectionId, chat }: WantedParts,
): boolean {
  return (
    state === 'active' &&
    (events?.includes(type) ?? true) &&
    (OF_TENANT.has(type) ||
      ((connectionIds?.includes(connectionId) ?? true) &&
        (kinds === undefined || (chat !== undefined && kinds.includes(chatKindOf(chat))))))
  );
}

/** Whether anything is posted to an endpoint: what comes for one that is disabled or held is kept, or let go. */
export function isOpen({ state, isHeld }: Pick<Endpoint, 'state' | 'isHeld'>): boolean {
  return state === 'active' && isHeld !== true;
}

/** An endpoint as its tenant sees it; the secret is shown once, when it is made. */
export const endpointViewSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.enum(eventTypes)).optional(),
    connectionIds: z.array(z.string()).optional(),
    chatKinds: z.array(z.enum(chatKinds)).optional(),
    headers: z.record(z.string(), z.string()).optional().meta({ description: 'Their values are not shown again.' }),
    batch: z.object({ maxEvents: z.number().int() }).optional(),
    order: z.enum(orders),
    previousSecretUntil: z.iso.datetime().optional().meta({
      description: 'After a change of the secret: until when posts are signed with the one before as well.',
    }),
    state: z.enum(['active', 'disabled']),
    disabled: z
      .object({ because: z.enum(disablingCauses), at: z.iso.datetime() })
      .optional()
      .meta({ description: 'Why it is disabled: its receiver answered 410, or has taken nothing for five days.' }),
    failingSince: z.iso.datetime().optional().meta({
      description:
        'When the first attempt of those failed since which none has succeeded. After five days of that it is disabled.',
    }),
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
    ...(endpoint.connectionIds === undefined ? {} : { connectionIds: [...endpoint.connectionIds] }),
    ...(endpoint.chatKinds === undefined ? {} : { chatKinds: [...endpoint.chatKinds] }),
    ...(endpoint.headers === undefined ? {} : { headers: withoutValues(endpoint.headers) }),
    ...(endpoint.batch === undefined ? {} : { batch: { maxEvents: endpoint.batch.maxEvents } }),
    order: endpoint.order ?? 'fast',
    ...(endpoint.previousSecret === undefined || endpoint.previousSecret.untilMs <= nowMs
      ? {}
      : { previousSecretUntil: new Date(endpoint.previousSecret.untilMs).toISOString() }),
    state: endpoint.state,
    ...toStanding(endpoint),
    breaker: {
      state,
      failures,
      ...(state === 'open' && openUntilMs !== undefined ? { nextTrialAt: new Date(openUntilMs).toISOString() } : {}),
    },
    createdAt: new Date(endpoint.createdAtMs).toISOString(),
  };
}

function toStanding({ disabling, failingSinceMs }: Endpoint): Pick<EndpointView, 'disabled' | 'failingSince'> {
  return {
    ...(disabling === undefined
      ? {}
      : { disabled: { because: disabling.because, at: new Date(disabling.atMs).toISOString() } }),
    ...(failingSinceMs === undefined ? {} : { failingSince: new Date(failingSinceMs).toISOString() }),
  };
}
