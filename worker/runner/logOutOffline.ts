import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { RunnerDependencies } from './runnerDependencies.ts';

/** The time limit of the log-out, in milliseconds, with the wait for a turn. */
const WITHIN_MS = 15_000;
/** The further time for closing the socket, in milliseconds. */
const CLOSE_MS = 30_000;

/**
 * Logs a device out at WhatsApp whose connection is offline, on a socket of its own. The phone shows the device until
 * WhatsApp is told; but the request is done here in any case, so the log-out is tried once and a failure is only
 * logged.
 */
export async function logOutOffline({
  sockets,
  takeTurn,
  clock,
  logger,
  scope,
}: Pick<RunnerDependencies, 'sockets' | 'takeTurn' | 'clock' | 'logger' | 'scope'>): Promise<'lost' | 'over'> {
  const late = new AbortController();
  const done = new AbortController();
  void clock.sleep(WITHIN_MS, done.signal).then(() => late.abort(new Error('too late to log out')));
  let giveTurnBack = (): void => undefined;
  const work = async (): Promise<string> => {
    giveTurnBack = await takeTurn(late.signal);
    return sockets.logOut(late.signal, scope.child('socket to log out'));
  };
  try {
    // The socket is closed before anything else is done, also when it was too late.
    const outcome = await withDeadline('logging out', WITHIN_MS + CLOSE_MS, work, clock);
    if (outcome === 'lost') return 'lost';
    logger.info('device logged out while it was offline', { outcome });
  } catch (error) {
    logger.warn('WhatsApp was not told that a device is unlinked', { error });
  } finally {
    done.abort();
    giveTurnBack();
  }
  return 'over';
}
