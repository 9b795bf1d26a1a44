import { AuditTrail } from '../../shared/audit/auditTrail.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { UnpairedPlaces } from '../../shared/connection/unpairedPlaces.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { MessageStore } from '../../shared/message/messageStore.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { BucketStore } from '../../shared/quota/bucketStore.ts';
import { QuotaBook } from '../../shared/quota/quotaBook.ts';
import { RateLimiter } from '../../shared/quota/rateLimiter.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { makeFunctionBreakers } from '../runtime/functionBreakers.ts';
import { countAtOnce, makeFunctionMetrics } from '../runtime/functionMetrics.ts';
import { noteKeyUse } from '../../shared/identity/tenantKeys.ts';
import { makeAuthenticate } from './authentication.ts';

/**
 * The parts that the two functions behind the HTTP API have in common.
 * @param name the function's name in logs and metrics
 */
export function composeHttp(config: StoreConfig, name: string) {
  const logger = makeLogger(name, config.logLevel).child({ stage: config.stage });
  const metrics = makeFunctionMetrics(config, name, logger);
  const count = countAtOnce(metrics);
  const breakers = makeFunctionBreakers(count, logger);
  const stores = { table: makeDocumentClient(config, { breakers }), stage: config.stage };
  return {
    ...stores,
    clock: systemClock,
    random: systemRandom,
    authenticate: makeAuthenticate(
      { ...stores, clock: systemClock },
      {
        countRefused: (reason) => count('KeysRefused', { reason }),
        // A request is not refused because this cannot be noted.
        noteUse: (principal, day) =>
          noteKeyUse(stores, principal, day).catch((error: unknown) => {
            logger.warn('the use of a key could not be noted', { keyId: principal.keyId, error });
          }),
      },
    ),
    plans: config.plans,
    quotaBook: new QuotaBook({ ...stores, logger, plans: config.plans }),
    limiter: new RateLimiter({ buckets: new BucketStore(stores), clock: systemClock, logger }),
    audit: new AuditTrail(stores),
    logger,
    breakers,
    shardCount: config.shardCount,
    unpairedPlaces: new UnpairedPlaces(stores),
    notePlaces: (takenPercent: number) => {
      metrics.gauge('PlacesTaken', takenPercent, {});
      metrics.flush();
    },
    connections: new ConnectionStore(stores),
    messages: new MessageStore(stores),
  };
}
