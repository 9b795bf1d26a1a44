/** Timings that are quicker than in production, where they allow for a network between the machines. */
const LOCAL_TIMINGS = {
  HOLDFAST_HEARTBEAT_MS: '500',
  HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
  HOLDFAST_FENCE_MS: '6000',
  HOLDFAST_DEATH_MS: '10000',
  HOLDFAST_ORPHAN_CLAIM_MS: '15000',
  HOLDFAST_DRAIN_TIMEOUT_MS: '20000',
  HOLDFAST_LEADER_READ_MS: '500',
  HOLDFAST_GIVE_DEADLINE_MS: '8000',
  HOLDFAST_COMMAND_WAIT_SECONDS: '2',
  HOLDFAST_COMMAND_VISIBILITY_SECONDS: '10',
  HOLDFAST_DIGEST_MS: '3000',
} as const;
/** The watchdog's own copy of some timings of the workers. */
const LOCAL_WATCHDOG_TIMINGS = {
  ...LOCAL_TIMINGS,
  HOLDFAST_WATCHDOG_EVERY_MS: '15000',
  HOLDFAST_WATCHDOG_DEATH_MS: '10000',
} as const;
/** Settings of the workers by name of the set; in production the worker's own defaults hold. */
export const WORKER_TIMINGS = { local: LOCAL_TIMINGS, production: {} } as const;
export const WATCHDOG_TIMINGS = { local: LOCAL_WATCHDOG_TIMINGS, production: {} } as const;
/**
 * The time between SIGTERM and SIGKILL of a task that is stopped, in milliseconds: longer than a drain. Fargate allows
 * two minutes.
 */
export const TASK_STOP_MS = { local: 25_000, production: 120_000 } as const;
