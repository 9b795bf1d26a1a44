import { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { endpointChangeSchema, endpointViewSchema, toEndpointView } from '../../shared/webhook/endpoint.ts';
import { route, type Route } from '../http/route.ts';
import { checkChosen, findWebhook, newEndpointViewSchema, type WebhookRouteDependencies } from './webhooks.ts';

/** Routes that change a webhook without making it anew: deliveries under way, attempts and what waits stay with it. */
export function webhookChangeRoutes({
  endpoints,
  connections,
  guard,
  clock,
}: WebhookRouteDependencies): readonly Route[] {
  return [
    route('PATCH', '/v1/webhooks/{webhookId}', {
      summary: 'Change the address, the choice of events or the headers of a webhook',
      description:
        'What waits goes to the new address with the new headers. A delivery under way may still go to the old one.',
      body: endpointChangeSchema,
      problems: ['connection_not_found', 'webhook_url_not_allowed'],
      answers: { status: 200, schema: endpointViewSchema },
      handle: async ({ tenantId, parameters, body }) => {
        const { endpointId } = await findWebhook(endpoints, tenantId, parameters['webhookId']);
        await checkChosen(connections, tenantId, body.connectionIds);
        const outcome = await endpoints.change(guard, { tenantId, endpointId }, body);
        if (outcome === 'missing') throw new AppError('webhook_not_found');
        return { status: 200, json: toEndpointView(await findWebhook(endpoints, tenantId, endpointId), clock.nowMs()) };
      },
    }),
    route('POST', '/v1/webhooks/{webhookId}/secret', {
      summary: 'Give a webhook a new secret; for a day posts are signed with the one before, too',
      description:
        'The header `webhook-signature` then has two signatures, and a receiver takes the post for whichever secret it has. A second change within the day ends the first of the three secrets.',
      body: z.strictObject({}),
      problems: ['change_conflict'],
      answers: { status: 200, schema: newEndpointViewSchema },
      handle: async ({ tenantId, parameters }) => {
        const found = await findWebhook(endpoints, tenantId, parameters['webhookId']);
        const secret = await endpoints.changeSecret(found);
        if (secret === 'changed_meanwhile') throw new AppError('change_conflict', { detail: CHANGED });
        const endpoint = await findWebhook(endpoints, tenantId, found.endpointId);
        return { status: 200, json: { ...toEndpointView(endpoint, clock.nowMs()), secret: secret.reveal() } };
      },
    }),
  ];
}

const CHANGED = 'This webhook was deleted, or got another secret by another request at the same moment. Read it first.';
