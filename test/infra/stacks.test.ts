import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { DataStack } from '../../infra/dataStack.ts';
import { QueueStack } from '../../infra/queueStack.ts';
import { parseSettings } from '../../infra/settings.ts';

describe('data stack', () => {
  const template = Template.fromStack(new DataStack(new App(), 'data', { stage: 'test' }));

  it.each(['test-core', 'test-fleet', 'test-sessions'])('keeps, protects and backs up the table %s', (name) => {
    template.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Retain',
      Properties: {
        TableName: name,
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      },
    });
  });

  it('gives the sessions table no stream', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      TableName: 'test-sessions',
      StreamSpecification: Match.absent(),
    });
  });
});

describe('queue stack', () => {
  const template = Template.fromStack(new QueueStack(new App(), 'queues', { stage: 'test', shardCount: 3 }));

  it('has a FIFO command queue per shard, with the shared dead letters after 100 receives', () => {
    for (const name of ['test-command-0000.fifo', 'test-command-0001.fifo', 'test-command-0002.fifo']) {
      template.hasResourceProperties('AWS::SQS::Queue', {
        QueueName: name,
        FifoQueue: true,
        RedrivePolicy: Match.objectLike({ maxReceiveCount: 100 }),
      });
    }
  });

  it('gives every queue a retention, and dead letters to every queue that holds work', () => {
    const queues = Object.values(template.findResources('AWS::SQS::Queue')).map(
      (resource) => resource['Properties'] as Record<string, unknown>,
    );

    const withoutRetention = queues.filter((queue) => queue['MessageRetentionPeriod'] === undefined);
    const withoutDeadLetters = queues.filter((queue) => queue['RedrivePolicy'] === undefined);

    expect(withoutRetention).toEqual([]);
    expect(withoutDeadLetters.map((queue) => queue['QueueName'])).toEqual([
      'test-command-dead.fifo',
      'test-events-dead.fifo',
      'test-deliveries-dead',
    ]);
  });
});

describe('settings', () => {
  it('has a default for each', () => {
    expect(parseSettings({})).toEqual({ stage: 'dev', shardCount: 16 });
  });

  it.each([
    [{ stage: 'Prod' }, 'stage: must be 1 to 16 lower-case letters'],
    [{ shardCount: 0 }, 'shardCount: '],
    [{ shards: 3 }, 'shards'],
  ])('refuses %j and names the setting', (values, words) => {
    expect(() => parseSettings(values)).toThrow(words);
  });
});
