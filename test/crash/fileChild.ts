/**
 * A process of the media function, which ends where its plan says: it kills itself with SIGKILL before or after one of its calls, in the
 * middle of a file, or while a converter of its works. Its environment leads it to its stores, as that of the embedded stack does.
 */
import { S3Client } from '@aws-sdk/client-s3';
import { mediaParts } from '../../functions/media/composition.ts';
import { FileSource } from '../../functions/media/fileSource.ts';
import { makeMediaHandler } from '../../functions/media/handler.ts';
import { Converter } from '../../functions/media/prepare/converter.ts';
import { FileHosts, type FileUpload } from '../../functions/media/send/fileHosts.ts';
import { mediaConfig } from '../../shared/platform/config.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import type { FromMedia, ToMedia } from './fileLives.ts';
import { watchQueue, watchTable, wrapMethod } from './ports.ts';
import { PortWatch } from './portWatch.ts';

/** After so many bytes on a line to a host of files the process may end once more. */
const STEP_BYTES = 4 * 1_024 * 1_024;

const say = (message: FromMedia): void => void process.send?.(message, undefined, undefined, () => undefined);

const watch = new PortWatch((): never => {
  process.kill(process.pid, 'SIGKILL');
  // Until the kill arrives: not one more step.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});

/** Passes bytes on, and counts them as calls. */
async function* counted(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const chunk of bytes) {
    if (Math.floor(passed / STEP_BYTES) !== Math.floor((passed + chunk.length) / STEP_BYTES) || passed === 0) {
      watch.end(watch.begin(name));
    }
    passed += chunk.length;
    yield chunk;
  }
}

wrapMethod(S3Client, 'send', (call, [command]) => {
  const { name } = (command as object).constructor;
  return watch.watch(`objects ${name.replace(/Command$/, '')}`, async () => call());
});
wrapMethod(FileSource, 'read', (call) => counted('host gives', call() as AsyncIterable<Uint8Array>));
wrapMethod(FileHosts, 'upload', (call, given) => {
  const upload = given[1] as { bytes: FileUpload['bytes'] };
  const { bytes } = upload;
  upload.bytes = () => counted('host takes', bytes());
  return watch.watch('host upload', async () => call());
});
wrapMethod(Converter, 'convert', (call) => watch.watch('converter', async () => call()));

const parts = mediaParts(mediaConfig(), { allowLoopback: true });
watchTable(parts.table, watch);
watchQueue(parts.queue, watch);
const handler = makeMediaHandler({ ...parts, metrics: silentMetrics });

process.on('message', ({ record, plan }: ToMedia) => {
  watch.arm(plan);
  void handler({ Records: [record] }).then(
    ({ batchItemFailures }) => say({ kind: 'ran', isDone: batchItemFailures.length === 0, calls: watch.disarm() }),
    (error: unknown) => say({ kind: 'ran', isDone: false, calls: watch.disarm(), error: String(error) }),
  );
});
// The parent is gone: nobody else would end this one.
process.on('disconnect', () => process.exit(1));
say({ kind: 'ready' });
