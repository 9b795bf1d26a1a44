/**
 * One life of a worker, in a thread or in a process of its own. It ends where its fault plan says: a process kills itself
 * with SIGKILL; a thread stops in the middle of its step and is taken down by its parent. Neither says farewell.
 */
import { isMainThread, parentPort } from 'node:worker_threads';
import { startInstance } from './instance.ts';
import type { FromLife, ToLife } from './lives.ts';
import { PortWatch } from './portWatch.ts';

const say = (message: FromLife): void => {
  // Nobody to tell it to is no reason to complain: this process ends then anyway.
  if (isMainThread) process.send?.(message, undefined, undefined, () => undefined);
  else parentPort?.postMessage(message);
};

const watch = new PortWatch((): never => {
  if (isMainThread) process.kill(process.pid, 'SIGKILL');
  else say({ kind: 'crashed' });
  // Until the kill arrives: not one more step.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});

const onMessage = (message: ToLife): void => {
  if (message.kind === 'disarm') {
    say({ kind: 'calls', calls: watch.disarm() });
    return;
  }
  if (message.kind === 'arm') {
    watch.arm(message.plan);
    say({ kind: 'armed' });
    return;
  }
  if (message.isArmed) watch.arm(message.plan);
  startInstance(message.world, watch, {
    onCaughtUp: () => say({ kind: 'caught_up' }),
    onBroken: (error) => say({ kind: 'broken', reason: String(error) }),
  });
};

if (isMainThread) {
  process.on('message', onMessage);
  // The parent is gone: nobody else would end this one.
  process.on('disconnect', () => process.exit(1));
} else parentPort?.on('message', onMessage);
say({ kind: 'ready' });
