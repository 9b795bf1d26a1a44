import { LRUCache } from 'lru-cache';
import type { TenantId } from '../kernel/id.ts';
import { withDeadline } from '../kernel/deadline.ts';
import { deadlines } from '../kernel/deadlines.ts';
import { quotaRows, type Quotas, type RateName } from '../platform/quotaRows.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import type { Rate } from './bucket.ts';
import type { BucketName, BucketStore } from './bucketStore.ts';
import { HeldTokens } from './heldTokens.ts';

export interface RateLimiterDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly buckets: Pick<BucketStore, 'take' | 'giveBack'>;
}

/** Something that takes from a quota. */
export interface Taking {
  readonly tenantId: TenantId;
  readonly quota: RateName;
  /** What of the tenant's it is, such as a key or a connection; left out where it is the tenant. */
  readonly of?: string;
  /** How many it takes; one when left out. */
  readonly tokens?: number;
}

/** How a quota stands as this process knows it. */
export interface RateState {
  readonly quota: RateName;
  readonly most: number;
  readonly windowSeconds: number;
  /** How many are left; undefined while this process has not asked. */
  readonly left: number | undefined;
}

export type Taken =
  | { readonly outcome: 'taken'; readonly state: RateState }
  | { readonly outcome: 'refused'; readonly state: RateState; readonly retryAfterSeconds: number }
  /** It wants more than there ever are at once. */
  | { readonly outcome: 'too_large'; readonly state: RateState };

/** The most buckets of which a process remembers what it holds. One that is forgotten loses a slice, or what was owed. */
const REMEMBERED_BUCKETS = 20_000;
/** How often a request asks before it is refused: others here may have used what was asked for. */
const ROUNDS = 4;

interface Bucket {
  readonly held: HeldTokens;
  waiting: number;
  asking: Promise<void> | undefined;
}

/**
 * The rates of tenants, over all processes. A process takes slices of a bucket (`bucket.ts`) and gives them out from memory.
 *
 * - The store does not answer in time: the request passes, and what passes is paid for when the store is back. Who needs the store is
 *   refused by it anyhow, and nobody else is to wait for it.
 * - The process dies: its slice is lost to the tenant, as it is when it is not used in time.
 * - The answer to a write is lost: the same.
 */
export class RateLimiter {
  readonly #dependencies: RateLimiterDependencies;
  readonly #buckets = new LRUCache<string, Bucket>({ max: REMEMBERED_BUCKETS });

  constructor(dependencies: RateLimiterDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes from a quota of a tenant. Never rejects. */
  async take({ tenantId, quota, of, tokens = 1 }: Taking, quotas: Quotas): Promise<Taken> {
    const { clock } = this.#dependencies;
    const { windowSeconds } = quotaRows[quota];
    const most = quotas[quota];
    const rate = { most, windowMs: windowSeconds * 1_000 };
    const stateOf = (left: number | undefined): RateState => ({ quota, most, windowSeconds, left });
    if (tokens > most) return { outcome: 'too_large', state: stateOf(undefined) };
    const bucket = this.#bucketOf({ tenantId, quota, of }, rate);
    bucket.waiting += tokens;
    try {
      for (let round = 0; ; round += 1) {
        const nowMs = clock.nowMs();
        const take = bucket.held.take(tokens, nowMs);
        const state = stateOf(bucket.held.left(nowMs));
        if (take.outcome === 'taken') return { outcome: 'taken', state };
        if (take.outcome === 'refused' || round === ROUNDS) {
          const untilMs = take.outcome === 'refused' ? take.untilMs : bucket.held.comesAtMs(tokens, nowMs);
          return { outcome: 'refused', state, retryAfterSeconds: Math.max(1, Math.ceil((untilMs - nowMs) / 1_000)) };
        }
        await (bucket.asking ??= this.#ask({ tenantId, quota, of }, bucket, tokens));
      }
    } finally {
      bucket.waiting -= tokens;
    }
  }

  /**
   * Gives back what was taken for a request that was refused then. A few stay with this process, which costs nothing; what is more than it
   * keeps goes back to the bucket, for all. Never rejects: what the store does not take stays here.
   */
  async giveBack({ tenantId, quota, of, tokens = 1 }: Taking): Promise<void> {
    const { buckets, clock, logger } = this.#dependencies;
    const name = { tenantId, quota, of };
    const held = this.#buckets.get(nameOf(name))?.held;
    const back = held?.giveBack(tokens, clock.nowMs()) ?? 0;
    if (held === undefined || back === 0) return;
    try {
      const fullAtMs = await withDeadline('what goes back to a quota', deadlines.quotaSlice.ms, () =>
        buckets.giveBack(name, held.rate, back, clock.nowMs()),
      );
      held.learn(fullAtMs);
    } catch (error) {
      logger.warn('a quota could not be given back', { tenantId, quota, error });
      held.keep(back, clock.nowMs());
    }
  }

  #bucketOf(name: BucketName, rate: Rate): Bucket {
    const key = nameOf(name);
    const known = this.#buckets.get(key);
    if (known?.held.rate.most === rate.most) return known;
    const made = { held: new HeldTokens(rate, this.#dependencies.clock.nowMs()), waiting: 0, asking: undefined };
    this.#buckets.set(key, made);
    return made;
  }

  async #ask(name: BucketName, bucket: Bucket, least: number): Promise<void> {
    const { buckets, clock, logger } = this.#dependencies;
    const { held } = bucket;
    const nowMs = clock.nowMs();
    const asked = held.toAsk(bucket.waiting, least, nowMs);
    try {
      const granted = await withDeadline('a slice of a quota', deadlines.quotaSlice.ms, () =>
        buckets.take(name, held.rate, asked, nowMs),
      );
      held.answered(granted, least, clock.nowMs());
    } catch (error) {
      logger.warn('a quota could not be asked, so requests pass', {
        tenantId: name.tenantId,
        quota: name.quota,
        error,
      });
      held.trust(clock.nowMs());
    } finally {
      bucket.asking = undefined;
    }
  }
}

const nameOf = ({ tenantId, quota, of }: BucketName): string => `${tenantId} ${quota} ${of ?? ''}`;
