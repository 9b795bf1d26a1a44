import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import type { Access, Route } from './route.ts';

/**
 * The codes of the problems that a route can answer, for the OpenAPI document: what follows from the form of the route, and what the route
 * names itself (`problems`). The tests of the API hold every answer against it.
 */
export function problemsOf(route: Route): readonly ErrorCode[] {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const codes: readonly (readonly ErrorCode[])[] = [
    OF_ALL,
    OF_ACCESS[route.access],
    route.body === undefined ? [] : OF_BODY,
    // A path may have bytes that are no text.
    route.query === undefined && names.length === 0 && route.headers.length === 0 ? [] : ['invalid_request'],
    CURSORS.some((name) => Object.hasOwn(route.query?.shape ?? {}, name)) ? ['invalid_cursor'] : [],
    ...route.headers.map((name) => OF_HEADER[name] ?? []),
    ...names.map((name) => OF_PARAMETER[name] ?? []),
    route.problems,
  ];
  return [...new Set(codes.flat())];
}

/** A store that does not answer, and a fault of ours, can meet every request. */
const OF_ALL: readonly ErrorCode[] = ['internal_error', 'store_unavailable'];

const OF_ACCESS: Readonly<Record<Access, readonly ErrorCode[]>> = {
  public: [],
  tenant: ['unauthorized', 'forbidden', 'tenant_suspended', 'tenant_deleted', 'too_many_requests'],
  operator: ['unauthorized', 'forbidden', 'too_many_requests'],
};

const OF_BODY: readonly ErrorCode[] = [
  'invalid_request',
  'invalid_json',
  'unsupported_media_type',
  'payload_too_large',
];

/** Names in a query that take a place of an earlier page. */
const CURSORS: readonly string[] = ['after', 'before'];

const OF_HEADER: Readonly<Record<string, readonly ErrorCode[]>> = {
  'idempotency-key': ['idempotency_key_invalid', 'idempotency_conflict'],
};

/** What is not there, by the parameter of the path that names it. Addresses of chats, people and groups are not looked up. */
const OF_PARAMETER: Readonly<Record<string, readonly ErrorCode[]>> = {
  actionId: ['action_not_found'],
  bulkSendId: ['bulk_send_not_found'],
  connectionId: ['connection_not_found'],
  erasureId: ['erasure_not_found'],
  exportId: ['export_not_found'],
  keyId: ['api_key_not_found'],
  linkId: ['pairing_link_not_found'],
  mediaId: ['media_not_found'],
  messageId: ['message_not_found'],
  tenantId: ['tenant_not_found'],
  webhookId: ['webhook_not_found'],
  workerId: ['worker_not_found'],
};
