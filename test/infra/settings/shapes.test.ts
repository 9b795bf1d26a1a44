import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { QueueStack } from '../../../infra/stacks/queueStack.ts';
import { parseSettings } from '../../../infra/settings/settings.ts';
import { queueDefinitions } from '../../../shared/platform/queues.ts';
import { runs } from '../../sample.ts';
import { makeApp, ofType, synthesizeStage } from '../synthesizeStage.ts';

/** Source: CloudFormation quotas. */
const RESOURCES_IN_TEMPLATE = 500;
const BYTES_OF_TEMPLATE = 1_000_000;

interface QueueTemplate {
  readonly name: string;
  readonly bytes: number;
  readonly resources: readonly { readonly Type: string; readonly Properties?: { readonly QueueName?: string } }[];
}

/** The templates of the queue stack alone. */
function synthesizeQueues(shardCount: number): readonly QueueTemplate[] {
  const app = makeApp({ validate: false });
  const settings = parseSettings({ stage: 'test', shape: '100k', shardCount });
  const { node } = new QueueStack(app, 'queues', { settings });
  const { directory } = (node.root as App).synth();
  return readdirSync(directory)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => {
      const text = readFileSync(join(directory, name), 'utf8');
      const { Resources } = JSON.parse(text) as {
        readonly Resources: Record<string, QueueTemplate['resources'][number]>;
      };
      return { name, bytes: Buffer.byteLength(text), resources: Object.values(Resources) };
    });
}

function queueNames(resources: QueueTemplate['resources']): readonly (string | undefined)[] {
  return resources.filter(({ Type }) => Type === 'AWS::SQS::Queue').map(({ Properties }) => Properties?.QueueName);
}

/** A synthesis of thousands of resources takes long while other tests run. */
const SYNTHESIS_MS = 300_000;

describe('the large shapes', { timeout: SYNTHESIS_MS }, () => {
  it('make thousands of command queues within the limits of CloudFormation, each once', () => {
    const shards = runs(1_200, 5_000);
    const files = synthesizeQueues(shards);

    const all = files.map(({ resources }) => resources);
    const names = all.flatMap(queueNames);
    expect(Math.max(...all.map((resources) => resources.length))).toBeLessThan(RESOURCES_IN_TEMPLATE);
    expect(Math.max(...files.map(({ bytes }) => bytes))).toBeLessThan(BYTES_OF_TEMPLATE);
    expect(names).toHaveLength(shards + 8);
    expect(new Set(names)).toEqual(new Set(queueDefinitions('test', shards).map(({ name }) => name)));
  });

  it('leave a queue in its stack when shards are added', () => {
    const placesOf = (shardCount: number): ReadonlyMap<unknown, string> =>
      new Map(
        synthesizeQueues(shardCount).flatMap(({ name, resources }) =>
          queueNames(resources).map((queue) => [queue, name] as const),
        ),
      );

    const before = placesOf(400);
    const after = placesOf(800);

    expect(after.size).toBe(before.size + 400);
    expect([...before].filter(([name, place]) => after.get(name) !== place)).toEqual([]);
  });

  it('spread the workers of 100,000 connections over three zones, some of them on Spot, behind NAT if set so', () => {
    const resources = synthesizeStage({ shape: '100k', network: 'private', spotPercent: 50 });
    const [service] = ofType(resources, 'AWS::ECS::Service');

    expect(ofType(resources, 'AWS::EC2::NatGateway')).toHaveLength(3);
    expect(ofType(resources, 'AWS::ApplicationAutoScaling::ScalableTarget')[0]?.properties).toMatchObject({
      MinCapacity: 125,
      MaxCapacity: 188,
    });
    expect(service?.properties).toMatchObject({
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
      CapacityProviderStrategy: [
        { CapacityProvider: 'FARGATE', Base: 1, Weight: 50 },
        { CapacityProvider: 'FARGATE_SPOT', Weight: 50 },
      ],
    });
  });
});
