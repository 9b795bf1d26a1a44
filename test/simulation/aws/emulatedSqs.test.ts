import { setTimeout as wait } from 'node:timers/promises';
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe } from 'vitest';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { testCases } from './contract.ts';
import { sqsContract, sqsDifferences } from './sqsContract.ts';
import type { NewQueue, SqsUnderTest } from './sqsUnderTest.ts';

describe('the emulator of SQS', () => {
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let client: SQSClient;
  let made = 0;
  beforeAll(async () => {
    queues = await startQueues();
    client = makeQueueClient(aStoreConfig({ queues }));
  });
  afterAll(async () => {
    client.destroy();
    await queues.stop();
  });

  const newQueue = async ({ fifo, visibilitySeconds, maxReceiveCount }: NewQueue) => {
    const end = fifo ? '.fifo' : '';
    const [name, deadName] = [`contract-${(made += 1)}${end}`, `contract-${made}-dead${end}`];
    const common = { VisibilityTimeout: String(visibilitySeconds), ...(fifo ? { FifoQueue: 'true' } : {}) };
    const redrive = { deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${deadName}`, maxReceiveCount };
    await client.send(new CreateQueueCommand({ QueueName: deadName, Attributes: common }));
    await client.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: {
          ...common,
          ...(maxReceiveCount === undefined ? {} : { RedrivePolicy: JSON.stringify(redrive) }),
        },
      }),
    );
    return { url: `${queues.queueUrlBase}${name}`, deadUrl: `${queues.queueUrlBase}${deadName}` };
  };
  const service = (): SqsUnderTest => ({
    send: client.send.bind(client),
    elapse: (ms) => wait(ms),
    newQueue,
  });

  testCases(sqsContract, service, sqsDifferences);
});
