import ipaddr from 'ipaddr.js';
import type { ConnectionId } from '../kernel/id.ts';

/** What keys of tenants may be made for: `read` is GET and what opens streams, `write` everything else. */
export const scopes = [
  'actions:read',
  'audit:read',
  'calls:write',
  'channels:read',
  'channels:write',
  'chats:read',
  'chats:write',
  'connections:read',
  'connections:write',
  'contacts:read',
  'contacts:write',
  'erasures:read',
  'erasures:write',
  'events:read',
  'exports:read',
  'exports:write',
  'groups:read',
  'groups:write',
  'media:read',
  'media:write',
  'messages:read',
  'messages:write',
  'profile:read',
  'profile:write',
  'tenant:read',
  'tenant:write',
  'webhooks:read',
  'webhooks:write',
] as const;
export type Scope = (typeof scopes)[number];
/** What a request is about, the first half of a scope. */
export type Resource = Scope extends `${infer Name}:${string}` ? Name : never;

/** What a tenant's key may do less than everything of the tenant's. Each limit that is left out limits nothing. */
export interface KeyLimits {
  /** The scopes that it has. */
  readonly scopes?: readonly Scope[];
  /** The connections that it is for; there are no others for it. */
  readonly connectionIds?: readonly ConnectionId[];
  /** The networks that it may be used from, in CIDR notation. */
  readonly networks?: readonly string[];
}

/** A request as limits see it. */
export interface LimitedRequest {
  /** The scope that it needs; undefined for one that no scope opens. */
  readonly scope: Scope | undefined;
  /** The connection that all of it is about; undefined where it names none. */
  readonly connectionId: string | undefined;
  /** Whether it names one record, which alone says of which connection it is: who reads it looks whether the key is for that. */
  readonly isOfRecord?: boolean;
  /** The address that it came from. */
  readonly address: string;
}

/** Why a key does not open a request. */
export type LimitFault = 'network' | 'scope' | 'no_connection' | 'other_connection';

/** Finds the limit of a key that keeps a request out; undefined when none does. */
export function findLimitFault(
  { scopes: own, connectionIds, networks }: KeyLimits,
  { scope, connectionId, isOfRecord = false, address }: LimitedRequest,
): LimitFault | undefined {
  if (networks !== undefined && !networks.some((network) => isInside(address, network))) return 'network';
  if (own !== undefined && (scope === undefined || !own.includes(scope))) return 'scope';
  if (connectionIds === undefined) return undefined;
  if (connectionId === undefined) return isOfRecord ? undefined : 'no_connection';
  return connectionIds.some((id) => id === connectionId) ? undefined : 'other_connection';
}

/**
 * Whether a text is a network: an address and the number of its bits that count, such as `203.0.113.0/24` or `2001:db8::/32`. One of IPv4
 * that is written as one of IPv6 is none: no request would come from it.
 */
export function isNetwork(text: string): boolean {
  if (ipaddr.IPv4.isValidCIDR(text)) return ipaddr.IPv4.isValidCIDRFourPartDecimal(text);
  return ipaddr.IPv6.isValidCIDR(text) && !ipaddr.IPv6.parseCIDR(text)[0].isIPv4MappedAddress();
}

function isInside(address: string, network: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An address of IPv4 that came in one of IPv6 is the one of IPv4.
  const parsed = ipaddr.process(address);
  const [base, bits] = ipaddr.parseCIDR(network);
  return parsed.kind() === base.kind() && parsed.match(base, bits);
}
