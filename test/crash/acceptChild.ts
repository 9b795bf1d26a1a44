/**
 * A process of the functions, which ends where its plan says: it kills itself with SIGKILL before or after one of its calls.
 * It serves the API over HTTP, as the host of the functions does, and runs reconcile when it is told to.
 */
import type { AddressInfo } from 'node:net';
import { composeApi } from '../../functions/api/composition.ts';
import { makeApiHandler } from '../../functions/api/handler.ts';
import { makeReconcileHandler } from '../../functions/reconcile/handler.ts';
import { makeGateway, type HttpHandler } from '../../infra/local/gateway.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import type { FromFunctions, ToFunctions } from './acceptLives.ts';
import { watchQueue, watchTable, watchUploads } from './ports.ts';
import { PortWatch } from './portWatch.ts';

const say = (message: FromFunctions): void => void process.send?.(message, undefined, undefined, () => undefined);

const watch = new PortWatch((): never => {
  process.kill(process.pid, 'SIGKILL');
  // Until the kill arrives: not one more step.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
let atMs = 0;
let reconcile: (() => Promise<void>) | undefined;

function begin({ dynamoDb, queues, objects }: Extract<ToFunctions, { readonly kind: 'begin' }>): void {
  const parts = composeApi(aStoreConfig({ dynamoDb, queues }, objects));
  const own = { ...parts, clock: { ...systemClock, nowMs: () => atMs } };
  watchTable(own.table, watch);
  watchQueue(own.queue, watch);
  watchUploads(watch);
  reconcile = makeReconcileHandler({ ...own, metrics: silentMetrics });
  const api = makeApiHandler(own) as unknown as HttpHandler;
  const server = makeGateway(() => api);
  server.listen(0, '127.0.0.1', () => {
    say({ kind: 'begun', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
}

process.on('message', (message: ToFunctions) => {
  if (message.kind === 'begin') begin(message);
  else if (message.kind === 'calls') say({ kind: 'calls', calls: watch.disarm() });
  else {
    atMs = message.atMs;
    watch.arm(message.plan);
    if (message.kind === 'arm') say({ kind: 'armed' });
    else {
      void reconcile?.().then(
        () => say({ kind: 'reconciled' }),
        (error: unknown) => say({ kind: 'reconciled', error: String(error) }),
      );
    }
  }
});
// The parent is gone: nobody else would end this one.
process.on('disconnect', () => process.exit(1));
say({ kind: 'ready' });
