import type { Route } from './route.ts';

/** Why a request that is no GET has no entry of audit. */
type Unaudited =
  /** It makes a record that is itself kept and shown, with the same correlation id. */
  | 'own_record'
  /** It only asks for something, or shows others that somebody is there: nothing of the tenant's changes. */
  | 'no_change';

/** What an entry shows of a route. */
export interface AuditRule {
  /** The fields that it may show, of the request and of the record, by their names. */
  readonly shows: readonly string[];
  /** The GET that shows the record as it was before: the one of its path, or that of the short list above it. */
  readonly before: 'none' | 'own_path' | 'list';
}

/** Every other route that changes something, or may, is audited: a new one is by itself. */
const UNAUDITED: Readonly<Record<string, Unaudited>> = {
  'POST /v1/connections/{connectionId}/messages': 'own_record',
  'POST /v1/media': 'own_record',
  'POST /v1/media/{mediaId}/complete': 'own_record',
  'POST /v1/media/{mediaId}/fetch': 'no_change',
  'POST /v1/events/stream-tickets': 'no_change',
  'POST /v1/connections/{connectionId}/channel-invites/preview': 'no_change',
  'POST /v1/connections/{connectionId}/chats/{chat}/read': 'no_change',
  'POST /v1/connections/{connectionId}/chats/{chat}/typing': 'no_change',
  'POST /v1/connections/{connectionId}/contacts/check': 'no_change',
  'POST /v1/connections/{connectionId}/group-invites/preview': 'no_change',
  'POST /v1/connections/{connectionId}/messages/{messageId}/played': 'no_change',
  'POST /v1/connections/{connectionId}/messages/{messageId}/read': 'no_change',
};

/** What operators read that belongs to tenants. */
const AUDITED_READS: ReadonlySet<string> = new Set(['GET /v1/admin/dead-letters']);

const CONNECTION = ['label', 'settings', 'wanted'];
const WEBHOOK = ['url', 'events', 'connectionIds', 'chatKinds', 'batch', 'order', 'state', 'previousSecretUntil'];
const LINK = ['expiresAt', 'returnUrl', 'origin', 'language', 'brand'];
const KEY = ['id', 'label', 'lastFour', 'state', 'expiresAt', 'scopes', 'connectionIds', 'networks'];
const STANDING = ['reason', 'state', 'suspended'];
const LETTERS = ['ids', 'all', 'queue', 'tenantId', 'connectionId', 'by', 'limit'];
const VERSION = ['version', 'canaryPercent', 'by', 'current', 'candidate'];

/** What entries show, by route; of one that is not here they show the ids in its path alone. */
const SHOWN: Readonly<Record<string, AuditRule>> = {
  'POST /v1/connections': { shows: ['id', ...CONNECTION], before: 'none' },
  'PATCH /v1/connections/{connectionId}': { shows: CONNECTION, before: 'own_path' },
  'DELETE /v1/connections/{connectionId}': { shows: CONNECTION, before: 'own_path' },
  'POST /v1/connections/{connectionId}/start': { shows: ['wanted'], before: 'none' },
  'POST /v1/connections/{connectionId}/stop': { shows: ['wanted'], before: 'none' },
  'POST /v1/connections/{connectionId}/restart': { shows: ['wanted'], before: 'none' },
  'POST /v1/connections/{connectionId}/logout': { shows: ['wanted'], before: 'none' },
  'POST /v1/connections/{connectionId}/pairing': { shows: ['method'], before: 'none' },
  'POST /v1/connections/{connectionId}/pairing-links': { shows: ['id', ...LINK], before: 'none' },
  'POST /v1/webhooks': { shows: ['id', ...WEBHOOK], before: 'none' },
  'PATCH /v1/webhooks/{webhookId}': { shows: WEBHOOK, before: 'list' },
  'DELETE /v1/webhooks/{webhookId}': { shows: WEBHOOK, before: 'list' },
  'POST /v1/webhooks/{webhookId}/secret': { shows: ['previousSecretUntil'], before: 'none' },
  'POST /v1/webhooks/{webhookId}/resume': { shows: ['state'], before: 'none' },
  'PATCH /v1/tenant': { shows: ['fileDays'], before: 'own_path' },
  'POST /v1/admin/tenants': { shows: ['id', 'name'], before: 'none' },
  'DELETE /v1/admin/tenants/{tenantId}': { shows: ['confirm', 'name', 'state'], before: 'own_path' },
  'PATCH /v1/admin/tenants/{tenantId}/quotas': { shows: ['plan', 'own'], before: 'own_path' },
  'POST /v1/admin/tenants/{tenantId}/suspend': { shows: STANDING, before: 'none' },
  'POST /v1/admin/tenants/{tenantId}/resume': { shows: STANDING, before: 'none' },
  'POST /v1/admin/tenants/{tenantId}/api-keys': { shows: KEY, before: 'none' },
  'GET /v1/admin/dead-letters': { shows: LETTERS, before: 'none' },
  'POST /v1/admin/dead-letters/redrive': { shows: LETTERS, before: 'none' },
  'POST /v1/admin/dead-letters/discard': { shows: LETTERS, before: 'none' },
  'PUT /v1/admin/whatsapp-version': { shows: VERSION, before: 'own_path' },
  'POST /v1/admin/whatsapp-version/roll-back': { shows: VERSION, before: 'none' },
};
const IDS_ALONE: AuditRule = { shows: [], before: 'none' };

/** The path whose GET shows a record before it is changed. */
export function pathBefore(path: string, before: Exclude<AuditRule['before'], 'none'>): string {
  return before === 'own_path' ? path : path.slice(0, path.lastIndexOf('/'));
}

/** What is audited of a route, and undefined for one that is not. */
export function auditRuleOf({ method, path, access }: Pick<Route, 'method' | 'path' | 'access'>) {
  const name = `${method} ${path}`;
  const isAudited = method === 'GET' ? AUDITED_READS.has(name) : access !== 'public' && !Object.hasOwn(UNAUDITED, name);
  if (!isAudited) return undefined;
  return (Object.hasOwn(SHOWN, name) ? SHOWN[name] : undefined) ?? IDS_ALONE;
}

/** The routes that are named, for the test that each of them exists. */
export const namedRoutes: readonly string[] = [...Object.keys(UNAUDITED), ...AUDITED_READS, ...Object.keys(SHOWN)];
