import { scopes, type Resource, type Scope } from '../../shared/identity/keyLimits.ts';
import type { Route } from './route.ts';

/** What a path is about, by its first word: behind the connection that it names, or behind `/v1/`. */
const RESOURCES: Readonly<Record<string, Resource>> = {
  '': 'connections',
  actions: 'actions',
  audit: 'audit',
  'blocked-contacts': 'contacts',
  'bulk-sends': 'messages',
  calls: 'calls',
  'channel-invites': 'channels',
  channels: 'channels',
  chats: 'chats',
  communities: 'groups',
  connections: 'connections',
  'contact-erasures': 'erasures',
  contacts: 'contacts',
  'event-types': 'events',
  events: 'events',
  'export-schedule': 'exports',
  exports: 'exports',
  'group-invites': 'groups',
  groups: 'groups',
  history: 'connections',
  labels: 'chats',
  logout: 'connections',
  media: 'media',
  messages: 'messages',
  pairing: 'connections',
  'pairing-links': 'connections',
  presence: 'profile',
  profile: 'profile',
  quotas: 'tenant',
  restart: 'connections',
  'scheduled-messages': 'messages',
  start: 'connections',
  stop: 'connections',
  sync: 'messages',
  tenant: 'tenant',
  webhooks: 'webhooks',
};
/** Requests that change nothing, though they are no GET. */
const READS: ReadonlySet<string> = new Set(['POST /v1/events/stream-tickets']);

/** The scope that a route of tenants needs; undefined for one that no scope opens. */
export function scopeOf({ method, path, access }: Pick<Route, 'method' | 'path' | 'access'>): Scope | undefined {
  if (access !== 'tenant') return undefined;
  const [word = ''] = path.replace(/^\/v1\/(?:connections\/\{connectionId\}\/?)?/, '').split('/');
  const resource = Object.hasOwn(RESOURCES, word) ? RESOURCES[word] : undefined;
  const isRead = method === 'GET' || READS.has(`${method} ${path}`);
  return resource && scopes.find((scope) => scope === `${resource}:${isRead ? 'read' : 'write'}`);
}
