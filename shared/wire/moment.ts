/** Clients write some times in seconds and some in milliseconds; before the year 5138 the first are below, the second above. */
const LEAST_MS = 1e11;
const LAST_MS = Date.UTC(9999, 11, 31);

/** A time on the wire as ISO 8601; undefined for none. */
export function toMoment(value: number | undefined): string | undefined {
  if (value === undefined || value === 0) return undefined;
  const ms = value < LEAST_MS ? value * 1_000 : value;
  return ms <= LAST_MS ? new Date(ms).toISOString() : undefined;
}
