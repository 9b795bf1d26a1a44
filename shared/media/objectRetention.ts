import { retentionSeconds } from '../platform/expiry.ts';

/** The days after which the bucket removes every object: a day more than the longest time for which tenants have files kept. */
export const keptDays = retentionSeconds.object / 86_400;
