import { SendMessageBatchCommand, SQSClient, type SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDeliveryId, makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import {
  CARRIED_EVENT_BYTES,
  deliverySchema,
  enqueueDeliveries,
  sendDeliveries,
  toDeliveries,
  type Delivery,
} from '../../../shared/webhook/delivery.ts';
import { MESSAGE_BYTES } from '../../../shared/platform/queues.ts';
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

/** The answer of a queue that takes all entries. */
const acceptAll = ({ Entries = [] }: SendMessageBatchCommandInput) => ({
  Successful: Entries.map(({ Id }) => ({ Id, MessageId: 'id', MD5OfMessageBody: '' })),
});

/** An answer that refuses some entries. */
const refusing = (refused: readonly string[], accepted: readonly string[] = []) => ({
  Successful: accepted.map((Id) => ({ Id, MessageId: 'id', MD5OfMessageBody: '' })),
  Failed: refused.map((Id) => ({ Id, Code: 'InternalError', SenderFault: false })),
});

describe('deliveries', () => {
  const queue = mockClient(SQSClient);
  const dependencies = { queue: queue as unknown as SQSClient, stage: 'test', queueUrlBase: 'http://queues/0/' };
  beforeEach(() => {
    queue.on(SendMessageBatchCommand).callsFake(acceptAll);
  });
  afterEach(() => queue.reset());
  /** The groups of each call's entries. */
  const sentGroups = () =>
    queue
      .commandCalls(SendMessageBatchCommand)
      .map(({ args }) => args[0].input.Entries?.map(({ MessageGroupId }) => MessageGroupId));

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

  it('are an error, under its name, when SQS refuses one of them twice', async () => {
    queue.on(SendMessageBatchCommand).resolves(refusing(['0']));

    const refused = enqueueDeliveries(dependencies, [anEndpoint()], [anEvent(1)]);

    await expect(refused).rejects.toMatchObject({ name: 'InternalError' });
    expect(queue).toHaveReceivedCommandTimes(SendMessageBatchCommand, 2);
  });

  it('are sent again alone when SQS refused them, and the others are not', async () => {
    const endpoints = [anEndpoint(), anEndpoint(), anEndpoint()];
    queue
      .on(SendMessageBatchCommand)
      .resolvesOnce(refusing(['1'], ['0', '2']))
      .callsFake(acceptAll);

    await enqueueDeliveries(dependencies, endpoints, [anEvent(1)]);

    expect(sentGroups()).toEqual([endpoints.map(({ endpointId }) => endpointId), [endpoints[1]?.endpointId]]);
  });

  it('carry their event in the bytes of the log, whatever stands in it', async () => {
    const text = JSON.stringify({ body: 'a "quoted" \ud800 text: \u{1f600}, \uffff, \u0001' });

    await enqueueDeliveries(dependencies, [anEndpoint()], [{ ...anEvent(1), text }]);

    const body = queue.commandCalls(SendMessageBatchCommand)[0]?.args[0].input.Entries?.[0]?.MessageBody ?? '';
    expect(body).toMatch(/^[\x20-\x7e]+$/);
    expect(deliverySchema.parse(JSON.parse(body)).event).toBe(text);
  });

  it.each([
    { what: 'as long as may be', text: 'x'.repeat(CARRIED_EVENT_BYTES - 2), carried: true },
    { what: 'longer', text: 'x'.repeat(CARRIED_EVENT_BYTES - 1), carried: false },
    { what: 'longer only as the queue has it', text: '\u00e9'.repeat(CARRIED_EVENT_BYTES / 4), carried: false },
  ])('carry an event that is $what: $carried', ({ text, carried }) => {
    const [delivery] = toDeliveries([anEndpoint()], [{ ...anEvent(1), text }]);

    expect(delivery?.event === undefined).toBe(!carried);
  });

  it('always go in calls of ten at most that are no larger than SQS allows, each delivery once', async () => {
    const endpoint = anEndpoint();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 40 }), async (lengths) => {
        queue.resetHistory();
        // The lengths are beyond what a delivery carries, so that the bytes of a call are felt.
        const deliveries = lengths.map((length, sequence) => ({
          ...(toDeliveries([endpoint], [anEvent(sequence + 1)])[0] as Delivery),
          event: 'x'.repeat(length + 1),
        }));

        await sendDeliveries(dependencies, deliveries);

        const calls = queue.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries ?? []);
        const bodies = calls.map((entries) => entries.map(({ MessageBody = '' }) => MessageBody));
        expect(bodies.every((of) => of.length <= 10 && of.join('').length <= MESSAGE_BYTES)).toBe(true);
        const sent = bodies.flat().map((body) => (JSON.parse(body) as Delivery).eventId);
        expect(sent.toSorted()).toEqual(deliveries.map(({ eventId }) => eventId).toSorted());
      }),
      { numRuns: 20 },
    );
  });
});
