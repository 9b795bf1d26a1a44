import { queueUrlBase } from '../../infra/local/queues.ts';
import { startQueueServer } from '../../infra/local/queueServer.ts';

export { createQueues } from '../../infra/local/queues.ts';

/** The SQS emulator, in this process, in memory, on a free port. */
export async function startQueues(): Promise<{
  readonly endpoint: string;
  readonly queueUrlBase: string;
  readonly stop: () => Promise<void>;
}> {
  const server = await startQueueServer({ port: 0 });
  return { endpoint: server.endpoint, queueUrlBase: queueUrlBase(server.endpoint), stop: server.stop };
}
