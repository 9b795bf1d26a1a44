import { AppError } from '../../shared/kernel/appError.ts';

/**
 * The longest wait that a caller may ask for, in seconds: well within the 29 s of the function and the 30 s of API
 * Gateway.
 */
export const LONGEST_WAIT_SECONDS = 25;

/** The preference of `Prefer` (RFC 7240) that is heeded. */
export interface Preference {
  /** How long the caller waits for the answer, in seconds; undefined when the header says nothing of it. */
  readonly waitSeconds: number | undefined;
}

/**
 * Reads the header. `respond-async` alone is a wait of nothing; preferences that are not known are passed over, as the RFC asks
 * for. Throws `invalid_request` for a `wait` that is no whole number from 0 to 25.
 */
export function readPrefer(header: string | undefined): Preference {
  const preferences = (header ?? '')
    .split(',')
    .map((part) => (part.split(';')[0] ?? '').trim())
    .map((part) => /^([^=\s]+)\s*(?:=\s*(.*))?$/s.exec(part))
    .map((match) => ({ name: match?.[1]?.toLowerCase(), value: match?.[2]?.replace(/^"(.*)"$/s, '$1') }));
  // The first of several counts, as the RFC says.
  const wait = preferences.find(({ name }) => name === 'wait');
  if (wait === undefined) {
    return { waitSeconds: preferences.some(({ name }) => name === 'respond-async') ? 0 : undefined };
  }
  const seconds = /^\d{1,3}$/.test(wait.value ?? '') ? Number(wait.value) : Number.NaN;
  if (seconds >= 0 && seconds <= LONGEST_WAIT_SECONDS) return { waitSeconds: seconds };
  const problem = `wait must be a whole number of seconds from 0 to ${LONGEST_WAIT_SECONDS}, like wait=10`;
  throw new AppError('invalid_request', { fields: [{ field: 'Prefer', problem }] });
}
