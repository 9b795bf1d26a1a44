import { AppError } from '../../shared/kernel/appError.ts';
import { errorRules } from '../../shared/kernel/errorRules.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import type { Principal } from '../../shared/identity/principal.ts';
import { quotaRows, type Quotas } from '../../shared/platform/quotaRows.ts';
import type { QuotaBook } from '../../shared/quota/quotaBook.ts';
import type { RateLimiter, RateState, Taken, Taking } from '../../shared/quota/rateLimiter.ts';
import type { GiveBack, TakingOfTenant } from './route.ts';

export interface RateDependencies {
  readonly quotaBook: Pick<QuotaBook, 'find'>;
  readonly limiter: Pick<RateLimiter, 'take' | 'giveBack'>;
}

/** A rate that a request is refused by. */
export class RateError extends AppError {
  readonly states: readonly RateState[];

  constructor(states: readonly RateState[], ...rest: ConstructorParameters<typeof AppError>) {
    super(...rest);
    this.states = states;
  }
}

/**
 * Takes from several quotas of a tenant, all or none. Returns how they stand. Throws the problem of the first one that refuses, before
 * anything is written.
 */
export async function takeRates(
  { quotaBook, limiter }: RateDependencies,
  takings: readonly Taking[],
): Promise<readonly RateState[]> {
  const taken: Taking[] = [];
  const states: RateState[] = [];
  for (const taking of takings) {
    const result = await limiter.take(taking, await quotaBook.find(taking.tenantId));
    states.push(result.state);
    if (result.outcome !== 'taken') {
      await Promise.all(taken.map((each) => limiter.giveBack(each)));
      throw toRateError(taking, result);
    }
    taken.push(taking);
  }
  return states;
}

/** Counts a request of a tenant. Throws `too_many_requests`. */
export async function admitRequest(
  dependencies: RateDependencies,
  { tenantId, keyId }: Extract<Principal, { readonly role: 'tenant' }>,
): Promise<readonly RateState[]> {
  const quotas = await dependencies.quotaBook.find(tenantId);
  return takeRates(dependencies, [
    ...(isOfKeyLower(quotas) ? [{ tenantId, quota: 'requestsOfKey', of: keyId } as const] : []),
    { tenantId, quota: 'requests' },
  ]);
}

/** Whether a key may make fewer requests than its tenant: else that of the tenant refuses first, and no more need be counted. */
function isOfKeyLower({ requestsOfKey, requests }: Quotas): boolean {
  return requestsOfKey < requests;
}

/** Takes from rates of a tenant for what a request does. Returns what gives it back, once however often it is called. */
export async function takeFor(
  dependencies: RateDependencies,
  tenantId: TenantId,
  takings: readonly TakingOfTenant[],
): Promise<GiveBack> {
  const taken = takings.map((taking) => ({ ...taking, tenantId }));
  await takeRates(dependencies, taken);
  return async () => void (await Promise.all(taken.splice(0).map((taking) => dependencies.limiter.giveBack(taking))));
}

/** Does what a request asks for. What it took of rates is given back where it was refused: then nothing of it was accepted. */
export async function givingBack<Done>(taken: readonly GiveBack[], work: () => Promise<Done>): Promise<Done> {
  try {
    return await work();
  } catch (error) {
    // What failed otherwise may have been written.
    const isRefused = error instanceof AppError && errorRules[error.code].httpStatus < 500;
    if (isRefused) await Promise.all(taken.map((giveBack) => giveBack()));
    throw error;
  }
}

/**
 * Takes from rates, or finds what was accepted before under the key of the request where one refuses: it is asked for once, however often.
 * Nothing is looked up for a request that passes. Returns what was found.
 */
export async function takeOrFind<Found>(
  take: () => Promise<unknown>,
  find: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  try {
    await take();
    return undefined;
  } catch (error) {
    const found = error instanceof RateError ? await find() : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

function toRateError({ quota, tokens = 1 }: Taking, taken: Exclude<Taken, { outcome: 'taken' }>): RateError {
  const { code, unit, windowSeconds, sentence } = quotaRows[quota];
  const { most } = taken.state;
  const allowed = `${sentence} The quota ${quota} is ${most} ${unit} in ${windowSeconds} seconds.`;
  if (most === 0) return new RateError([taken.state], code, { detail: `${allowed} Ask the operator for more.` });
  if (taken.outcome === 'too_large') {
    const detail = `${allowed} This request is ${tokens}, which is more than there ever are: send less at a time, or ask the operator for more.`;
    return new RateError([taken.state], code, { detail });
  }
  const { retryAfterSeconds } = taken;
  const detail = `${allowed} Ask again in ${retryAfterSeconds} s.`;
  return new RateError([taken.state], code, { detail, retryAfterSeconds });
}
