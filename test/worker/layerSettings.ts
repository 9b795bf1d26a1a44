/** Longer than any test. */
const NEVER_MS = '3600000';

/** Each layer of defence switched off: it would act only long after the test. */
export const off = {
  deadlines: {
    HOLDFAST_KEEP_ALIVE_MS: NEVER_MS,
    HOLDFAST_ONLINE_QUERY_TIMEOUT_MS: NEVER_MS,
    HOLDFAST_OPEN_WITHIN_MS: NEVER_MS,
  },
  supervisor: {
    // Goes on to ask idle connections for a sign of life, and judges nobody.
    HOLDFAST_SUPERVISE_EVERY_MS: '200',
    HOLDFAST_PROBE_AFTER_MS: '1000',
    HOLDFAST_SUCCESS_WITHIN_MS: NEVER_MS,
    HOLDFAST_SILENCE_LIMIT_MS: NEVER_MS,
    HOLDFAST_UNHANDLED_LIMIT_MS: NEVER_MS,
    HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: NEVER_MS,
    HOLDFAST_LOCK_LIMIT_MS: NEVER_MS,
  },
} as const;
export const on = {
  deadlines: { HOLDFAST_KEEP_ALIVE_MS: '1000' },
  supervisor: {
    HOLDFAST_SUPERVISE_EVERY_MS: '200',
    HOLDFAST_PROBE_AFTER_MS: '1000',
    HOLDFAST_SILENCE_LIMIT_MS: '4000',
  },
} as const;
export const digests = { HOLDFAST_DIGEST_MS: '200', HOLDFAST_DIGEST_SUSPECT_MS: '1000' } as const;
