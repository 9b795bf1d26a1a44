import { z } from 'zod';

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const percent = (fallback: number) => z.coerce.number().int().min(1).max(100).default(fallback);

/**
 * Settings that say when a worker takes no more shards, and when it is to be recycled (docs/lifecycle.md, "Recycling
 * workers"), each with its default.
 */
export const vitalsSettings = {
  /** The time between two samples, in milliseconds; 15 s when left out. */
  HOLDFAST_VITALS_EVERY_MS: positive(15_000),
  /**
   * The age at which a worker asks to be recycled, in milliseconds; 7 days when left out. Each worker draws its own
   * from 10 % around it.
   */
  HOLDFAST_MAX_AGE_MS: positive(7 * 24 * 60 * 60 * 1_000),
  /**
   * The memory that the worker may use, in MiB. When left out, it is the limit of the container or, without one, the
   * memory of the machine.
   */
  HOLDFAST_MEMORY_LIMIT_MIB: z.coerce.number().int().positive().optional(),
  /** The share of the memory limit above which the worker takes no more shards, in percent; 75 when left out. */
  HOLDFAST_MEMORY_FULL_PERCENT: percent(75),
  /** The share above which the worker asks to be recycled, in percent; 80 when left out. */
  HOLDFAST_MEMORY_RECYCLE_PERCENT: percent(80),
  /** The share above which the worker drains without asking, in percent; 95 when left out. */
  HOLDFAST_MEMORY_DRAIN_PERCENT: percent(95),
  /**
   * How late the event loop may be, as the 99th percentile in milliseconds; 200 when left out. Beyond that the worker
   * opens no socket, and in the end takes no more shards.
   */
  HOLDFAST_LOOP_DELAY_LIMIT_MS: positive(200),
} as const;

const schema = z.object(vitalsSettings);

export interface VitalsConfig {
  /** The time between two samples. */
  readonly everyMs: number;
  readonly maxAgeMs: number;
  readonly memoryLimitBytes: number | undefined;
  /**
   * The share of the memory limit, 0 to 1, above which the worker takes no more shards. It is below the next share, and
   * that below the third.
   */
  readonly fullShare: number;
  /** The share above which the worker asks to be recycled. */
  readonly recycleShare: number;
  /** The share above which the worker drains without asking. */
  readonly drainShare: number;
  /** The 99th percentile of a sample above which no socket is opened, and in the end no shard taken. */
  readonly loopDelayLimitMs: number;
}

const BYTES_PER_MIB = 1_024 * 1_024;

/** The configuration from the settings. */
export function toVitals(value: z.infer<typeof schema>): VitalsConfig {
  const limitMib = value.HOLDFAST_MEMORY_LIMIT_MIB;
  return {
    everyMs: value.HOLDFAST_VITALS_EVERY_MS,
    maxAgeMs: value.HOLDFAST_MAX_AGE_MS,
    memoryLimitBytes: limitMib === undefined ? undefined : limitMib * BYTES_PER_MIB,
    fullShare: value.HOLDFAST_MEMORY_FULL_PERCENT / 100,
    recycleShare: value.HOLDFAST_MEMORY_RECYCLE_PERCENT / 100,
    drainShare: value.HOLDFAST_MEMORY_DRAIN_PERCENT / 100,
    loopDelayLimitMs: value.HOLDFAST_LOOP_DELAY_LIMIT_MS,
  };
}
