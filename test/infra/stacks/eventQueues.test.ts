import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../infra/settings/settings.ts';
import { eventQueueNames, queueDefinitions } from '../../../shared/platform/queues.ts';
import { ofType, synthesizeStage } from '../synthesizeStage.ts';

const QUEUES = 2;
const resources = synthesizeStage({ eventQueues: QUEUES });
const names = eventQueueNames('test', QUEUES);

describe('a stage with several queues for events', () => {
  it('has them all, with one queue for their dead letters', () => {
    const found = ofType(resources, 'AWS::SQS::Queue').map(({ properties }) => properties['QueueName']);

    expect(new Set(found)).toEqual(new Set(queueDefinitions('test', 16, QUEUES).map(({ name }) => name)));
    expect(found.length).toBe(queueDefinitions('test', 16, QUEUES).length);
    expect(names).toEqual(['test-events-00.fifo', 'test-events-01.fifo']);
  });

  it('has ingest read each of them, all together no more at once than is reserved', () => {
    const sources = ofType(resources, 'AWS::Lambda::EventSourceMapping').filter(({ properties }) =>
      String(properties['EventSourceArn']).includes('-events-'),
    );

    const read = sources.map(({ properties }) => String(properties['EventSourceArn']).split(':').at(-1));
    const atOnce = sources.map(
      ({ properties }) => (properties['ScalingConfig'] as { readonly MaximumConcurrency: number }).MaximumConcurrency,
    );
    expect(new Set(read)).toEqual(new Set(names));
    expect(atOnce).toEqual([2, 2]);
  });

  it('has an alarm for each that is late', () => {
    const late = ofType(resources, 'AWS::CloudWatch::Alarm').filter(
      ({ properties }) => properties['MetricName'] === 'ApproximateAgeOfOldestMessage',
    );

    expect(late.length).toBe(QUEUES);
  });

  it('lets workers publish to each of them, and ingest read each', () => {
    const policies = ofType(resources, 'AWS::IAM::Policy').map(({ properties }) => JSON.stringify(properties));

    for (const action of ['sqs:SendMessage', 'sqs:ReceiveMessage']) {
      expect(policies.some((policy) => policy.includes(action) && names.every((name) => policy.includes(name)))).toBe(
        true,
      );
    }
  });

  it('tells every process with a store how many there are', () => {
    const environments = JSON.stringify(resources.map(({ properties }) => properties)).match(
      /"HOLDFAST_EVENT_QUEUES":"2"|"Name":"HOLDFAST_EVENT_QUEUES","Value":"2"/g,
    );

    expect(environments?.length).toBeGreaterThan(4);
  });

  it('is refused with fewer than it has, or with less concurrency than AWS lets each have', () => {
    expect(() => parseSettings({ stage: 'prod', eventQueues: 1 }, { prod: { eventQueues: 2 } })).toThrow(
      'queues are only ever added',
    );
    expect(() => parseSettings({ eventQueues: 3 })).toThrow('must be at least 2 for each of eventQueues');
  });
});
