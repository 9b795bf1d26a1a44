import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { queueUrlBase } from '../../infra/local/queues.ts';
import { credentialsOf } from '../../infra/local/callers.ts';
import { queueDefinitions } from '../../shared/platform/queues.ts';

/** How many messages there are, in flight or not. */
export interface QueueDepths {
  /** In queues that somebody works on. */
  readonly waiting: number;
  readonly deadCommands: number;
}

/** Reads the queues of the embedded stack, past the proxies. */
export class QueueReader {
  readonly #client: SQSClient;
  readonly #base: string;
  readonly #names: readonly string[];

  constructor(stack: { readonly sqsEndpoint: string; readonly stage: string }, shards: number) {
    this.#client = new SQSClient({
      endpoint: stack.sqsEndpoint,
      region: 'us-east-1',
      credentials: credentialsOf('operations'),
    });
    this.#base = queueUrlBase(stack.sqsEndpoint);
    this.#names = queueDefinitions(stack.stage, shards).map(({ name }) => name);
  }

  async read(): Promise<QueueDepths> {
    const depths = await Promise.all(
      this.#names.map(async (name) => ({ name, depth: await this.#depthOf(name), isDead: name.includes('-dead') })),
    );
    const sum = (kept: typeof depths): number => kept.reduce((total, { depth }) => total + depth, 0);
    return {
      waiting: sum(depths.filter(({ isDead }) => !isDead)),
      deadCommands: sum(depths.filter(({ name, isDead }) => isDead && name.includes('-command'))),
    };
  }

  async #depthOf(name: string): Promise<number> {
    const { Attributes } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: `${this.#base}${name}`, AttributeNames: ['All'] }),
    );
    return (
      Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0) +
      Number(Attributes?.['ApproximateNumberOfMessagesNotVisible'] ?? 0) +
      Number(Attributes?.['ApproximateNumberOfMessagesDelayed'] ?? 0)
    );
  }
}
