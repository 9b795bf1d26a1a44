import type { TenantId } from '../../../shared/kernel/id.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { usualQuotas } from '../../../shared/platform/quotaRows.ts';
import { BucketStore } from '../../../shared/quota/bucketStore.ts';
import { RateLimiter } from '../../../shared/quota/rateLimiter.ts';
import { answerParent } from '../../bench/childTalk.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

export interface Calling {
  readonly endpoint: string;
  readonly tenantId: TenantId;
  readonly callers: number;
  readonly most: number;
  /** When they begin and end, in milliseconds since 1970: the same for all processes. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** How long each caller waits between two requests, in milliseconds. */
  readonly everyMs: number;
}

const answers = {
  /** Has callers ask as fast as they may. Returns what came of it, and how many writes it took. */
  call: async ({ endpoint, tenantId, callers, most, fromMs, untilMs, everyMs }: Calling) => {
    const store = new BucketStore({
      table: makeDocumentClient(aStoreConfig({ dynamoDb: { endpoint } })),
      stage: 'test',
    });
    let writes = 0;
    const limiter = new RateLimiter({
      buckets: {
        take: (...asked) => {
          writes += 1;
          return store.take(...asked);
        },
        giveBack: (...given) => store.giveBack(...given),
      },
      clock: systemClock,
      logger: silentLogger,
    });
    let [asked, passed] = [0, 0];
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (Date.now() < untilMs) {
          const { outcome } = await limiter.take({ tenantId, quota: 'requests' }, { ...usualQuotas, requests: most });
          // The bucket is emptied first, and what passes then is not counted.
          if (Date.now() >= fromMs) {
            asked += 1;
            if (outcome === 'taken') passed += 1;
          }
          await systemClock.sleep(everyMs);
        }
      }),
    );
    return { asked, passed, writes };
  },
};
export type CallerAnswers = typeof answers;

answerParent(answers);
