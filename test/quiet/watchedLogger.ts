import { makeLogger, type Logger } from '../../shared/platform/logger.ts';
import { findSecrets } from './findSecrets.ts';

/** A worker's log at its most talkative, which is kept nowhere. @param onSecret told of each line that no log may hold */
export function makeWatchedLogger(onSecret: (error: Error) => void): Logger {
  return makeLogger('worker', 'debug', {
    write: (line) => {
      const [found] = findSecrets(line);
      // What it is stays out of the message: test runs are printed.
      if (found !== undefined) onSecret(new Error(`a line of the log holds a ${found.kind}`));
    },
  });
}
