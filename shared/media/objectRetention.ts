import { retentionSeconds } from '../platform/expiry.ts';

/** The days after which the bucket removes an object: a file ends some days after the message that it was last fetched for. */
export const keptDays = retentionSeconds.object / 86_400;
