const WINDOW_MS = 60_000;
const LIMIT = 3;

/**
 * Whether the processes of one place end so often that another one would end, too: more than three times within a minute.
 * @param endedAtMs when they ended, on the same clock as `nowMs`
 */
export function endsTooOften(endedAtMs: readonly number[], nowMs: number): boolean {
  return endedAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS).length > LIMIT;
}
