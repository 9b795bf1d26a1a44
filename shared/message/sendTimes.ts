import { z } from 'zod';

/** When a message may leave, as its request says: not before a time, and not after another. Times in milliseconds since 1970. */
export interface SendTimes {
  readonly notBeforeMs: number | undefined;
  readonly expiresAtMs: number | undefined;
}

/** The furthest time ahead that a request may name, in milliseconds. */
export const LONGEST_AHEAD_MS = 365 * 24 * 60 * 60_000;
/** The seconds since 1970 that are taken for a time: from 2001 to 2286, so that milliseconds are refused. */
const [FIRST_SECOND, LAST_SECOND] = [1_000_000_000, 9_999_999_999];

/** A time as a caller writes it: ISO 8601 with its offset, or whole seconds since 1970. */
export const timeSchema = z.union(
  [
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z
      .number()
      .int()
      .min(FIRST_SECOND)
      .max(LAST_SECOND)
      .transform((seconds) => seconds * 1_000),
  ],
  { error: 'must be a time in ISO 8601 with its offset, like 2026-12-24T18:00:00Z, or seconds since 1970' },
);

export const notBeforeField = timeSchema.meta({
  description:
    'The message is kept as `scheduled` and leaves at this time, or within a minute after it: at most a year ahead. ISO 8601, or seconds since 1970.',
  example: '2027-01-04T08:00:00Z',
});
export const expiresAtField = timeSchema.meta({
  description:
    'A message that could not be sent by this time never is: it becomes `expired`. At most a year ahead, and after not_before. ISO 8601, or seconds since 1970.',
  example: '2027-01-04T08:05:00Z',
});

/** What is wrong with the times of a request, by field; nothing where they can be kept. The function is pure. */
export function problemsOfTimes(
  { notBeforeMs, expiresAtMs }: SendTimes,
  nowMs: number,
): readonly { readonly field: string; readonly problem: string }[] {
  const ofOne = (field: string, atMs: number | undefined) => {
    if (atMs === undefined) return [];
    if (atMs <= nowMs) return [{ field, problem: 'must be in the future' }];
    return atMs > nowMs + LONGEST_AHEAD_MS ? [{ field, problem: 'must be at most a year ahead' }] : [];
  };
  const single = [...ofOne('not_before', notBeforeMs), ...ofOne('expires_at', expiresAtMs)];
  if (single.length > 0 || notBeforeMs === undefined || expiresAtMs === undefined) return single;
  return expiresAtMs > notBeforeMs ? [] : [{ field: 'expires_at', problem: 'must be after not_before' }];
}
