import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId, type TenantId } from '../../shared/kernel/id.ts';
import type { AddressGuard } from '../../shared/platform/addressGuard.ts';
import { endpointViewSchema, newEndpointSchema, toEndpointView, type Endpoint } from '../../shared/webhook/endpoint.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { pageOf, toPage } from './views.ts';

export interface WebhookRouteDependencies extends Pick<Surroundings, 'clock'> {
  readonly endpoints: EndpointStore;
  readonly connections: ConnectionStore;
  readonly guard: AddressGuard;
}

/**
 * Finds the endpoint of a webhook of the calling tenant. Another tenant's, a deleted one and nonsense are all
 * `webhook_not_found`.
 */
export async function findWebhook(
  endpoints: Pick<EndpointStore, 'find'>,
  tenantId: TenantId,
  text: string | undefined,
): Promise<Endpoint> {
  const endpointId = parseId('end', text ?? '');
  const endpoint = endpointId && (await endpoints.find(tenantId, endpointId));
  if (endpoint === undefined) throw new AppError('webhook_not_found');
  return endpoint;
}

/**
 * Checks that all connections that a webhook is to have events of are the tenant's: of others it would get nothing, and say nothing.
 * Throws `connection_not_found`, for another tenant's, a deleted one and nonsense alike.
 */
export async function checkChosen(
  connections: Pick<ConnectionStore, 'find'>,
  tenantId: TenantId,
  connectionIds: readonly string[] | null | undefined,
): Promise<void> {
  await Promise.all([...new Set(connectionIds)].map((text) => findConnection(connections, tenantId, text)));
}

export const newEndpointViewSchema = endpointViewSchema
  .extend({ secret: z.string().meta({ description: 'Checks the signatures. Shown this once.' }) })
  .meta({ id: 'WebhookWithSecret' });

export function webhookRoutes({ endpoints, connections, guard, clock }: WebhookRouteDependencies): readonly Route[] {
  return [
    route('POST', '/v1/webhooks', {
      summary: 'Have events delivered to a URL, signed as Standard Webhooks',
      body: newEndpointSchema,
      problems: ['connection_not_found', 'webhook_url_not_allowed', 'quota_exceeded'],
      answers: { status: 201, schema: newEndpointViewSchema },
      handle: async ({ tenantId, body, quotas }) => {
        await checkChosen(connections, tenantId, body.connectionIds);
        const endpoint = await endpoints.create(guard, tenantId, body, (await quotas()).webhooks);
        return { status: 201, json: { ...toEndpointView(endpoint, clock.nowMs()), secret: endpoint.secret.reveal() } };
      },
    }),
    route('GET', '/v1/webhooks', {
      summary: 'List webhooks',
      answers: { status: 200, schema: pageOf(endpointViewSchema) },
      handle: async ({ tenantId }) => {
        const data = (await endpoints.list(tenantId)).map((endpoint) => toEndpointView(endpoint, clock.nowMs()));
        return { status: 200, json: toPage(data, undefined) };
      },
    }),
    route('DELETE', '/v1/webhooks/{webhookId}', {
      summary: 'Delete a webhook; deliveries under way end',
      answers: { status: 204 },
      handle: async ({ tenantId, parameters }) => {
        const endpointId = parseId('end', parameters['webhookId'] ?? '');
        const outcome = endpointId === undefined ? 'missing' : await endpoints.delete(tenantId, endpointId);
        if (outcome === 'missing') throw new AppError('webhook_not_found');
        return { status: 204 };
      },
    }),
  ];
}
