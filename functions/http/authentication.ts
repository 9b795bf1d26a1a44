import { LRUCache } from 'lru-cache';
import { findHolder, hashOf, type IdentityDependencies, type KeyHolder } from '../../shared/identity/apiKey.ts';
import { findLimitFault, type LimitedRequest, type LimitFault } from '../../shared/identity/keyLimits.ts';
import { includesRole, type OperatorRole, type Principal } from '../../shared/identity/principal.ts';
import { assertActive } from '../../shared/identity/standing.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import type { Access } from './route.ts';
import { Strangers } from './strangers.ts';

/**
 * How long the holder of a key is remembered, in milliseconds. With the time that the reads before it may take, a key that is
 * revoked, or whose tenant is suspended, opens nothing after half a minute.
 */
const REMEMBERED_MS = 25_000;
const REMEMBERED_KEYS = 10_000;
/** How long a key that is nobody's is remembered, so that who tries it again and again costs no read each time. */
const UNKNOWN_MS = 30_000;
const UNKNOWN_KEYS = 1_000;
/** How long it is remembered that a key opened something, in milliseconds: longer than an address is refused. */
const MET_MS = 10 * 60_000;
/** The length of `2026-08-01`. */
const DAY_CHARACTERS = 10;

const EXPIRED = 'This API key has expired. Ask an operator for a new one.';

/** A key of a tenant. */
type TenantPrincipal = Extract<Principal, { readonly role: 'tenant' }>;

export interface AuthenticateOptions {
  readonly rememberedMs?: number;
  readonly noteUse?: (principal: TenantPrincipal, day: string) => Promise<void>;
  readonly countRefused?: (reason: 'unknown' | 'expired' | 'too_many') => void;
}

/** @param address where the request came from; keys that are nobody's are counted by it */
export type Authenticate = (authorization: string | undefined, address?: string) => Promise<Principal>;

/**
 * Makes the check of `Authorization: Bearer <API key>`, which throws `unauthorized`, `tenant_suspended` and `too_many_requests`. Keys are remembered by their hash,
 * never themselves.
 * @param options.rememberedMs how long the holder of a key is remembered
 * @param options.countRefused told of each key that opens nothing
 * @param options.noteUse told of each key of a tenant once a day by each process, and waited for; it never rejects
 */
export function makeAuthenticate(
  dependencies: Pick<IdentityDependencies, 'table' | 'stage' | 'clock'>,
  { rememberedMs = REMEMBERED_MS, noteUse, countRefused = () => undefined }: AuthenticateOptions = {},
): Authenticate {
  const remembered = new LRUCache<string, KeyHolder>({ max: REMEMBERED_KEYS, ttl: rememberedMs });
  // These are apart, so that made-up keys push no key of a tenant out. Nobody has a key before its row is written, and the
  // read sees every row that was: what was unknown once is never a new key.
  const unknown = new LRUCache<string, true>({ max: UNKNOWN_KEYS, ttl: UNKNOWN_MS });
  /** The day of the last note, by the id of the key. */
  const noted = new LRUCache<string, string>({ max: REMEMBERED_KEYS });
  const strangers = new Strangers();
  const met = new LRUCache<string, true>({ max: REMEMBERED_KEYS, ttl: MET_MS });
  const identify = async (authorization: string | undefined, address: string | undefined): Promise<Principal> => {
    const apiKey = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (apiKey === undefined) throw new AppError('unauthorized');
    const hash = hashOf(apiKey);
    const known = remembered.get(hash);
    if (known !== undefined) return stillOpen(known, dependencies.clock.nowMs());
    if (unknown.has(hash)) throw new AppError('unauthorized');
    // A key that opened something here before is no guess, whoever else shares its address.
    if (!met.has(hash)) strangers.assertRoom(address, dependencies.clock.nowMs());
    const holder = await findHolder(dependencies, apiKey);
    if (holder === undefined) {
      unknown.set(hash, true);
      strangers.note(address, dependencies.clock.nowMs());
      throw new AppError('unauthorized');
    }
    remembered.set(hash, holder);
    met.set(hash, true);
    const principal = stillOpen(holder, dependencies.clock.nowMs());
    const day = new Date(dependencies.clock.nowMs()).toISOString().slice(0, DAY_CHARACTERS);
    if (noteUse !== undefined && principal.role === 'tenant' && noted.get(principal.keyId) !== day) {
      noted.set(principal.keyId, day);
      await noteUse(principal, day);
    }
    return principal;
  };
  return async (authorization, address) => {
    try {
      return await identify(authorization, address);
    } catch (error) {
      const reason = refusalOf(error);
      if (reason !== undefined) countRefused(reason);
      throw error;
    }
  };
}

/** Why a key was refused; undefined where no key was, or where it is not known whether it opens anything. */
function refusalOf(error: unknown): 'unknown' | 'expired' | 'too_many' | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.code === 'too_many_requests') return 'too_many';
  if (error.code !== 'unauthorized') return undefined;
  return error.detail === EXPIRED ? 'expired' : 'unknown';
}

/** The principal of a key. Throws `unauthorized` when the key has expired, and `tenant_suspended`. */
function stillOpen({ principal, expiresAtMs, standing }: KeyHolder, nowMs: number): Principal {
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
    throw new AppError('unauthorized', { detail: EXPIRED });
  }
  if (principal.role === 'tenant') assertActive(standing);
  return principal;
}

const wrongRole: Readonly<Record<Exclude<Access, 'public'>, string>> = {
  tenant: "This route needs the key of a tenant, and this key is an operator's. An operator makes one for a tenant.",
  operator:
    "This route needs the key of an operator, and this key is a tenant's. Operators have theirs from the command line.",
};

const outsideLimits: Readonly<Record<Exclude<LimitFault, 'other_connection'>, string>> = {
  network:
    'This API key may not be used from the address that the request came from. An operator chooses its networks.',
  scope: 'This API key has not the scope that this request needs',
  no_connection:
    'This API key is for some connections only, and this request is about no single one. Use a path below /v1/connections/{connectionId}, or name connectionId as a parameter where events are read.',
};

/** Throws `forbidden` for a key of an operator whose role is too small. */
function assertRole(has: OperatorRole, needs: OperatorRole): void {
  if (includesRole(has, needs)) return;
  throw new AppError('forbidden', {
    detail: `This route needs an operator key with the role ${needs}, and this one has ${has}. It is made at the command line: npm run ops -- create-operator-key --role ${needs}.`,
  });
}

/**
 * The tenant that a request acts for; undefined on operators' routes. Throws `forbidden` for a key of the other role, and for
 * what the key is not for; `connection_not_found` for a connection that it is not for, as if there were none.
 */
export function authorize(
  principal: Principal,
  access: Exclude<Access, 'public'>,
  request: LimitedRequest & { readonly operatorRole?: OperatorRole | undefined },
): TenantId | undefined {
  if (principal.role !== access) throw new AppError('forbidden', { detail: wrongRole[access] });
  if (principal.role !== 'tenant') {
    assertRole(principal.operatorRole, request.operatorRole ?? 'admin');
    return undefined;
  }
  const fault = findLimitFault(principal.limits, request);
  if (fault === 'other_connection') throw new AppError('connection_not_found');
  if (fault === 'scope') throw new AppError('forbidden', { detail: `${outsideLimits.scope}: ${request.scope}.` });
  if (fault !== undefined) throw new AppError('forbidden', { detail: outsideLimits[fault] });
  return principal.tenantId;
}
