import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliveryId, makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { enqueueDeliveries, toDeliveries } from '../../../shared/webhook/delivery.ts';
import { CLOSED } from '../../../shared/webhook/endpointBreaker.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { eventIdOf } from '../event/loggedEvents.ts';

const tenantId = makeId('tnt', 0, systemRandom);
const correlationId = 'cor-of-request' as CorrelationId;
const anEvent = (sequence: number) =>
  ({ eventId: eventIdOf(sequence), type: 'message.status', correlationId }) as const;
function anEndpoint(overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    tenantId,
    endpointId: makeId('end', 0, systemRandom),
    url: 'https://hooks.example/',
    events: undefined,
    state: 'active',
    secret: new Secret('whsec_AAAA'),
    breaker: CLOSED,
    createdAtMs: 0,
    ...overrides,
  };
}

describe('deliveries', () => {
  const queue = mockClient(SQSClient);
  const dependencies = { queue: queue as unknown as SQSClient, stage: 'test', queueUrlBase: 'http://queues/0/' };
  beforeEach(() => {
    queue.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [] });
  });
  afterEach(() => queue.reset());

  it('are one for each event and each endpoint that wants it', () => {
    const [all, none, disabled] = [
      anEndpoint(),
      anEndpoint({ events: ['message.received'] }),
      anEndpoint({ state: 'disabled' }),
    ];

    const deliveries = toDeliveries([all, none, disabled], [anEvent(1), anEvent(2)]);

    expect(deliveries.map(({ deliveryId }) => deliveryId)).toEqual([
      makeDeliveryId(all.endpointId, eventIdOf(1)),
      makeDeliveryId(all.endpointId, eventIdOf(2)),
    ]);
  });

  it('go to the queue in the group of their endpoint, so that a slow one holds up no other', async () => {
    const endpoints = [anEndpoint(), anEndpoint()];

    await enqueueDeliveries(dependencies, endpoints, [anEvent(1)]);

    const [call] = queue.commandCalls(SendMessageBatchCommand);
    expect(call?.args[0].input.QueueUrl).toBe('http://queues/0/test-deliveries');
    expect(call?.args[0].input.Entries?.map(({ MessageGroupId }) => MessageGroupId)).toEqual(
      endpoints.map(({ endpointId }) => endpointId),
    );
  });

  it('cost no call when nobody wants the event', async () => {
    await enqueueDeliveries(dependencies, [], [anEvent(1)]);

    expect(queue).not.toHaveReceivedCommand(SendMessageBatchCommand);
  });

  it('are an error when SQS refuses one of them', async () => {
    queue
      .on(SendMessageBatchCommand)
      .resolves({ Successful: [], Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] });

    const refused = enqueueDeliveries(dependencies, [anEndpoint()], [anEvent(1)]);

    await expect(refused).rejects.toThrow('InternalError');
  });
});
