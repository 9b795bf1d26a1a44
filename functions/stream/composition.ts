import { StreamPlaces } from '../../shared/event/streamPlaces.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { QuotaBook } from '../../shared/quota/quotaBook.ts';
import { makeMetrics } from '../../shared/platform/metrics.ts';
import { standardOutput } from '../../shared/platform/standardOutput.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { makeAuthenticate } from '../http/authentication.ts';
import { makeFunctionBreakers } from '../runtime/functionBreakers.ts';
import { Feeds } from './feeds.ts';
import { EventStreams } from './handler.ts';
import { PLACE_MS } from './runStream.ts';

/** How long a stream lasts: AWS ends what a function does after 15 minutes, and a process is to be replaced some time. */
const LASTS_MS = 14 * 60_000;
/** How long the holder of a key is remembered, in milliseconds: streams look at their keys again (`runStream.ts`). */
const KEY_REMEMBERED_MS = 5_000;
/** The most streams of one process. With half a core and 1 GB it holds them (docs/performance.md, `npm run bench:streams`). */
export const MOST_STREAMS = 10_000;
/** How often metrics are written, in milliseconds. */
const FLUSH_MS = 60_000;

export interface StreamOptions {
  readonly lookEveryMs?: number;
  readonly mostStreams?: number;
  /** The most streams of each tenant; what its quotas say when left out. */
  readonly tenantStreams?: number;
  readonly lastsMs?: number;
}

/** The parts of a process that serves streams. */
export function composeStreams(config: StoreConfig, options: StreamOptions = {}): EventStreams {
  const logger = makeLogger('stream', config.logLevel).child({ stage: config.stage });
  const metrics = makeMetrics({
    stage: config.stage,
    processKind: 'stream',
    clock: systemClock,
    write: (line) => standardOutput.write(`${line}\n`),
    flushEveryMs: FLUSH_MS,
    logger,
  });
  const breakers = makeFunctionBreakers(metrics.count, logger);
  const stores = { table: makeDocumentClient(config, { breakers }), stage: config.stage };
  const quotaBook = new QuotaBook({ ...stores, logger, plans: config.plans });
  const surroundings = { clock: systemClock, random: systemRandom, logger, metrics };
  const { lookEveryMs = 200, mostStreams = MOST_STREAMS, tenantStreams, lastsMs = LASTS_MS } = options;
  return new EventStreams({
    ...stores,
    ...surroundings,
    authenticate: makeAuthenticate(
      { ...stores, clock: systemClock },
      { rememberedMs: KEY_REMEMBERED_MS, countRefused: (reason) => metrics.count('KeysRefused', { reason }) },
    ),
    mostOf: async (tenantId) => tenantStreams ?? (await quotaBook.find(tenantId)).streams,
    places: new StreamPlaces({ ...stores, ...surroundings }, { forMs: PLACE_MS }),
    feeds: new Feeds({ ...stores, ...surroundings, lookEveryMs }),
    mostStreams,
    lastsMs,
  });
}
