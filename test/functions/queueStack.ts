import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { PeopleNotes } from '../../functions/ingest/peopleNotes.ts';
import { ChatNotes } from '../../functions/ingest/chatNotes.ts';
import { ChatStore } from '../../shared/chat/chatStore.ts';
import { ContactStore } from '../../shared/contact/contactStore.ts';
import type { NewEndpoint, Endpoint } from '../../shared/webhook/endpoint.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { makeLogger, type Logger } from '../../shared/platform/logger.ts';
import { keepingMetrics, type KeepingMetrics } from '../shared/platform/keepingMetrics.ts';
import { createTenant } from '../../shared/tenant/tenant.ts';
import { deliverySchema, deliveryQueueUrl, type Delivery } from '../../shared/webhook/delivery.ts';
import { makeEndpointBreakerStore, type EndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { startEventStores, type EventStores } from '../shared/event/eventStores.ts';

/** Both emulators, and what the functions behind the queues need. */
export interface QueueStack extends EventStores {
  readonly queue: SQSClient;
  readonly queueUrlBase: string;
  readonly endpoints: EndpointStore;
  readonly people: PeopleNotes;
  readonly chats: ChatNotes;
  readonly breakers: EndpointBreakerStore;
  readonly logger: Logger;
  readonly logLines: readonly string[];
  readonly metrics: KeepingMetrics;
}

export async function startQueueStack(): Promise<QueueStack> {
  const [stores, queues] = await Promise.all([startEventStores(), startQueues()]);
  await createQueues(queues.endpoint, 'test', 2);
  // Tests wait in a receive for what is hidden.
  const queue = makeQueueClient(aStoreConfig({ queues }, { storeTimeoutMs: 30_000 }));
  const logLines: string[] = [];
  const common = {
    ...stores,
    queue,
    queueUrlBase: queues.queueUrlBase,
    logger: makeLogger('test', 'debug', { write: (line) => logLines.push(line) }),
    metrics: keepingMetrics(),
  };
  return {
    ...common,
    endpoints: new EndpointStore(stores),
    people: new PeopleNotes({ ...common, contacts: new ContactStore(stores) }),
    chats: new ChatNotes({ ...common, chats: new ChatStore(stores) }),
    breakers: makeEndpointBreakerStore(stores),
    logLines,
    stop: async () => {
      queue.destroy();
      await Promise.all([stores.stop(), queues.stop()]);
    },
  };
}

/** A tenant with an endpoint for each description. */
export async function aTenantWith(
  stack: QueueStack,
  endpoints: readonly NewEndpoint[],
): Promise<{ readonly tenantId: TenantId; readonly endpoints: readonly Endpoint[] }> {
  const { tenantId } = await createTenant(stack, 'Acme');
  const made: Endpoint[] = [];
  for (const endpoint of endpoints) {
    made.push(await stack.endpoints.create({ refusalOf: () => Promise.resolve(undefined) }, tenantId, endpoint));
  }
  return { tenantId, endpoints: made };
}

/** A queue client whose first calls fail. */
export function failingQueue(queue: SQSClient, failures: number): SQSClient {
  let left = failures;
  const send = (command: Parameters<SQSClient['send']>[0]) =>
    left-- > 0 ? Promise.reject(new Error('the queue is gone')) : queue.send(command);
  return Object.assign(Object.create(queue) as SQSClient, { send });
}

/** Takes messages from a queue, as the event source of a function does. */
export async function receive(stack: QueueStack, queueUrl: string, waitSeconds = 0): Promise<readonly Message[]> {
  const answer = await stack.queue.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
    }),
  );
  return answer.Messages ?? [];
}

/** All deliveries that are in the queue; they are removed. */
export async function takeDeliveries(stack: QueueStack): Promise<readonly Delivery[]> {
  const found: Delivery[] = [];
  for (;;) {
    const messages = await receive(stack, deliveryQueueUrl(stack));
    if (messages.length === 0) return found;
    for (const message of messages) {
      found.push(deliverySchema.parse(JSON.parse(message.Body ?? '')));
      const ReceiptHandle = message.ReceiptHandle ?? '';
      await stack.queue.send(new DeleteMessageCommand({ QueueUrl: deliveryQueueUrl(stack), ReceiptHandle }));
    }
  }
}

/** Makes a message that was received visible again at once. */
export async function release(stack: QueueStack, QueueUrl: string, message: Message): Promise<void> {
  const ReceiptHandle = message.ReceiptHandle ?? '';
  await stack.queue.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
}

/** A record as Lambda hands it to a function. */
export function aRecord(body: string, overrides: { readonly id?: string; readonly group?: string } = {}): SQSRecord {
  return {
    messageId: overrides.id ?? 'record-1',
    receiptHandle: 'handle',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: 'test',
      ApproximateFirstReceiveTimestamp: '0',
      ...(overrides.group === undefined ? {} : { MessageGroupId: overrides.group }),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:test',
    awsRegion: 'us-east-1',
  };
}

/** A message that was received, as Lambda hands it to a function. */
export function toSqsEvent(messages: readonly Message[], queueName = 'test'): SQSEvent {
  const Records = messages.map((message) => {
    const record = aRecord(message.Body ?? '', { id: message.MessageId ?? '' });
    const ApproximateReceiveCount = message.Attributes?.ApproximateReceiveCount ?? '1';
    return {
      ...record,
      receiptHandle: message.ReceiptHandle ?? '',
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueName}`,
      attributes: { ...record.attributes, ApproximateReceiveCount },
    };
  });
  return { Records };
}
