import { z } from 'zod';
import { adminRoutes } from '../admin/handler.ts';
import { makeHttpHandler, type HttpDependencies } from '../http/http.ts';
import { makeOpenApi } from '../http/openapi.ts';
import { route, type Route } from '../http/route.ts';
import { pageRoutes, type PageRouteDependencies } from '../pairingPage/pageRoutes.ts';
import { actionRoutes, type ActionRouteDependencies } from '../routes/actions.ts';
import { auditRoutes, type AuditRouteDependencies } from '../routes/audit.ts';
import { bulkRoutes, type BulkRouteDependencies } from '../routes/bulkSends.ts';
import { connectionRoutes, type ConnectionRouteDependencies } from '../routes/connections.ts';
import { passkeyRoutes } from '../routes/passkeys.ts';
import { chatRoutes, type ChatRouteDependencies } from '../routes/chats.ts';
import { contactErasureRoutes } from '../routes/contactErasures.ts';
import { contactRoutes, type ContactRouteDependencies } from '../routes/contacts.ts';
import { eventRoutes, type EventRouteDependencies } from '../routes/events.ts';
import { eventTypeRoutes } from '../routes/eventTypes.ts';
import { exportRoutes, type ExportRouteDependencies } from '../routes/exports.ts';
import { exportScheduleRoutes } from '../routes/exportSchedule.ts';
import { historyRoutes, type HistoryRouteDependencies } from '../routes/history.ts';
import { healthRoutes, type HealthRouteDependencies } from '../routes/health.ts';
import { lifecycleRoutes } from '../routes/lifecycle.ts';
import { messagePartRoutes } from '../routes/messageParts.ts';
import { messageReceiptRoutes } from '../routes/messageReceipts.ts';
import { messageVersionRoutes } from '../routes/messageVersions.ts';
import { mediaRoutes, type MediaRouteDependencies } from '../routes/media.ts';
import { mediaUploadRoutes, type MediaUploadDependencies } from '../routes/mediaUploads.ts';
import { messageRoutes, type MessageRouteDependencies } from '../routes/messages.ts';
import { problemRoutes } from '../routes/problems.ts';
import { pairingLinkRoutes, type PairingLinkRouteDependencies } from '../routes/pairingLinks.ts';
import { pairingSessionRoutes } from '../routes/pairingSession.ts';
import { ownTenantRoutes, type OwnTenantDependencies } from '../routes/ownTenant.ts';
import { ownQuotaRoutes, type QuotaRouteDependencies } from '../routes/quotas.ts';
import { scheduledRoutes, type ScheduledRouteDependencies } from '../routes/scheduledMessages.ts';
import { SendableConnections } from '../routes/sendableConnections.ts';
import { streamTicketRoutes, type StreamTicketRouteDependencies } from '../routes/streamTickets.ts';
import { streamRoute } from '../stream/streamRoute.ts';
import { webhookChangeRoutes } from '../routes/webhookChanges.ts';
import { webhookDeliveryRoutes } from '../routes/webhookDeliveries.ts';
import { webhookRoutes } from '../routes/webhooks.ts';
import { webhookTrialRoutes, type WebhookTrialDependencies } from '../routes/webhookTrials.ts';

export interface ApiDependencies
  extends
    HttpDependencies,
    Omit<ConnectionRouteDependencies, 'sendable'>,
    Omit<MessageRouteDependencies, 'sendable' | 'scheduled'>,
    Omit<ScheduledRouteDependencies, 'messages'>,
    Omit<BulkRouteDependencies, 'messages'>,
    MediaRouteDependencies,
    MediaUploadDependencies,
    OwnTenantDependencies,
    QuotaRouteDependencies,
    AuditRouteDependencies,
    ActionRouteDependencies,
    ChatRouteDependencies,
    ContactRouteDependencies,
    ExportRouteDependencies,
    HistoryRouteDependencies,
    WebhookTrialDependencies,
    HealthRouteDependencies,
    StreamTicketRouteDependencies,
    PageRouteDependencies,
    Omit<PairingLinkRouteDependencies, 'connections'>,
    EventRouteDependencies {
  readonly quotaBook: QuotaRouteDependencies['quotaBook'];
}

/**
 * All routes of the API: the ones that this function serves, and for the OpenAPI document also the ones for operators.
 */
export function apiRoutes(given: ApiDependencies): {
  readonly served: readonly Route[];
  readonly all: readonly Route[];
} {
  const dependencies = { ...given, sendable: new SendableConnections(given.connections) };
  const known: Route[] = [
    ...connectionRoutes(dependencies),
    ...passkeyRoutes(dependencies),
    ...[pairingLinkRoutes, pairingSessionRoutes].flatMap((routes) => routes(dependencies)),
    ...lifecycleRoutes(dependencies),
    ...messageRoutes(dependencies),
    ...messagePartRoutes(dependencies),
    ...messageReceiptRoutes(dependencies),
    ...messageVersionRoutes(dependencies),
    ...mediaRoutes(dependencies),
    ...mediaUploadRoutes(dependencies),
    ...ownTenantRoutes(dependencies),
    ...ownQuotaRoutes(dependencies),
    ...auditRoutes(dependencies),
    ...scheduledRoutes(dependencies),
    ...bulkRoutes(dependencies),
    ...chatRoutes(dependencies),
    ...contactRoutes(dependencies),
    ...exportRoutes(dependencies),
    ...exportScheduleRoutes(dependencies),
    ...contactErasureRoutes(dependencies),
    ...historyRoutes(dependencies),
    ...actionRoutes(dependencies),
    ...webhookRoutes(dependencies),
    ...webhookChangeRoutes(dependencies),
    ...webhookDeliveryRoutes(dependencies),
    ...webhookTrialRoutes(dependencies),
    ...eventRoutes(dependencies),
    ...eventTypeRoutes(),
    ...streamTicketRoutes(dependencies),
    streamRoute(dependencies.streamUrl),
    ...healthRoutes(dependencies),
    ...problemRoutes(),
    route('GET', '/v1/openapi.json', {
      summary: 'This document',
      access: 'public',
      answers: { status: 200, schema: z.record(z.string(), z.unknown()) },
      handle: async () => ({ status: 200, json: document() }),
    }),
  ];
  const all = [...known, ...adminRoutes(dependencies)];
  let made: object | undefined;
  const document = (): object => (made ??= makeOpenApi(all));
  return { served: [...known, ...pageRoutes(dependencies)], all };
}

/** The function that serves tenants. */
export function makeApiHandler(dependencies: ApiDependencies) {
  return makeHttpHandler(apiRoutes(dependencies).served, dependencies);
}
