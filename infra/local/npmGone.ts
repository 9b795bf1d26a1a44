import { Scope } from '../../shared/kernel/scope.ts';

/** How often the parent of this process is looked at, in milliseconds. */
const LOOK_EVERY_MS = 500;

/**
 * Calls `then` once when the npm that started this process is gone. npm hands a signal to the shell that runs its script, and the shell ends
 * without handing it on: `kill` of an `npm start` would leave everything running that it started. A program that was started without
 * npm and left behind was meant to go on, so nothing is looked at then.
 */
export function whenNpmIsGone(then: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const scope = new Scope('the npm that started this');
  const timer = scope.interval(LOOK_EVERY_MS, () => {
    if (process.ppid === parent) return;
    void timer();
    then();
  });
}
