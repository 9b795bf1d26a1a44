import { z } from 'zod';

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const percent = (fallback: number) => z.coerce.number().int().min(1).max(100).default(fallback);

/** When a worker takes no more, and when it is to be replaced (docs/lifecycle.md, "Replacing workers"). */
export const vitalsSettings = {
  HOLDFAST_VITALS_EVERY_MS: positive(15_000),
  /** Each worker draws its own from 10 % around it. */
  HOLDFAST_MAX_AGE_MS: positive(7 * 24 * 60 * 60 * 1_000),
  /** Without it, the limit of the container; without that, the memory of the machine. */
  HOLDFAST_MEMORY_LIMIT_MIB: z.coerce.number().int().positive().optional(),
  HOLDFAST_MEMORY_FULL_PERCENT: percent(75),
  HOLDFAST_MEMORY_RECYCLE_PERCENT: percent(80),
  HOLDFAST_MEMORY_DRAIN_PERCENT: percent(95),
  HOLDFAST_LOOP_DELAY_LIMIT_MS: positive(200),
} as const;

const schema = z.object(vitalsSettings);

export interface VitalsConfig {
  /** Between two samples. */
  readonly everyMs: number;
  readonly maxAgeMs: number;
  readonly memoryLimitBytes: number | undefined;
  /** Shares of the memory limit, 0 to 1, each below the next: above the first it takes no more shards, … */
  readonly fullShare: number;
  /** … above this it asks to be replaced, … */
  readonly recycleShare: number;
  /** … and above this it drains without asking. */
  readonly drainShare: number;
  /** 99th percentile of a sample: above it no socket is opened, and in the end no shard taken. */
  readonly loopDelayLimitMs: number;
}

const BYTES_PER_MIB = 1_024 * 1_024;

/** The numbers out of the settings. */
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
