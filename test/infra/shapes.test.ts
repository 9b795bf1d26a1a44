import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { QueueStack } from '../../infra/queueStack.ts';
import { parseSettings } from '../../infra/settings.ts';
import { queueDefinitions } from '../../shared/platform/queues.ts';
import { ofType, synthesizeStage } from './synthesizeStage.ts';

/** Source: CloudFormation quotas. */
const RESOURCES_IN_TEMPLATE = 500;
const BYTES_OF_TEMPLATE = 1_000_000;

describe('the large shapes', () => {
  it('make 5,000 command queues within the limits of CloudFormation, each once', () => {
    const app = new App({
      context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/core:validateAgainstDefaultRules': false },
    });
    new QueueStack(app, 'queues', { settings: parseSettings({ stage: 'test', shape: '100k', shardCount: 5_000 }) });

    const { directory } = app.synth();

    const files = readdirSync(directory)
      .filter((file) => file.endsWith('.template.json'))
      .map((file) => join(directory, file));
    const templates = files.map(
      (file) =>
        JSON.parse(readFileSync(file, 'utf8')) as {
          readonly Resources: Readonly<
            Record<string, { readonly Type: string; readonly Properties?: { QueueName?: string } }>
          >;
        },
    );
    const all = templates.map(({ Resources }) => Object.values(Resources));
    const names = all
      .flat()
      .filter(({ Type }) => Type === 'AWS::SQS::Queue')
      .map(({ Properties }) => Properties?.QueueName);
    expect(Math.max(...all.map((resources) => resources.length))).toBeLessThan(RESOURCES_IN_TEMPLATE);
    expect(Math.max(...files.map((file) => statSync(file).size))).toBeLessThan(BYTES_OF_TEMPLATE);
    expect(names).toHaveLength(5_000 + 5);
    expect(new Set(names)).toEqual(new Set(queueDefinitions('test', 5_000).map(({ name }) => name)));
  });

  it('leave a queue in its stack when shards are added', () => {
    const placesOf = (shardCount: number): ReadonlyMap<unknown, string> =>
      new Map(
        ofType(synthesizeStage({ shape: '10k', shardCount }), 'AWS::SQS::Queue').map(
          ({ template, id, properties }) => [properties['QueueName'], `${template} ${id}`] as const,
        ),
      );

    const before = placesOf(400);
    const after = placesOf(800);

    expect(after.size).toBe(before.size + 400);
    expect([...before].filter(([name, place]) => after.get(name) !== place)).toEqual([]);
  });

  it('spread the workers of 100,000 connections over three zones, some of them on Spot, behind NAT if wished', () => {
    const resources = synthesizeStage({ shape: '100k', network: 'private', spotPercent: 50 });
    const [service] = ofType(resources, 'AWS::ECS::Service');

    expect(ofType(resources, 'AWS::EC2::NatGateway')).toHaveLength(3);
    expect(service?.properties).toMatchObject({
      DesiredCount: 258,
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
      CapacityProviderStrategy: [
        { CapacityProvider: 'FARGATE', Base: 1, Weight: 50 },
        { CapacityProvider: 'FARGATE_SPOT', Weight: 50 },
      ],
    });
  });
});
