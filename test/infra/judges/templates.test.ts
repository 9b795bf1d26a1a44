import { describe, expect, it } from 'vitest';
import { played } from '../../sample.ts';
import { synthesizeStage, type Resource } from '../synthesizeStage.ts';
import { objectionsTo, replacedBy } from './serviceSpec.ts';
import { stages } from './stages.ts';

/** A synthesis takes seconds, and more while other tests run. */
const SYNTHESIS_MS = 120_000;

describe("AWS's own schemas of resources", { timeout: SYNTHESIS_MS }, () => {
  it.each(played(Object.entries(stages), 3))('have no objection to a property of a stage: %s', (_, settings) => {
    expect(synthesizeStage(settings).flatMap(objectionsTo)).toEqual([]);
  });

  it('object to a property that there is not, one that is missing, and a value that is none', () => {
    const resource = (type: string, properties: Record<string, unknown>): Resource => ({
      template: 't',
      id: 'R',
      type,
      properties,
      deletionPolicy: undefined,
      dependsOn: [],
    });

    expect(objectionsTo(resource('AWS::SQS::Queue', { Fifo: true }))).toEqual([
      'AWS::SQS::Queue R: there is no property Fifo',
    ]);
    expect(objectionsTo(resource('AWS::SQS::Queue', { FifoQueue: 'yes' }))).toEqual([
      'AWS::SQS::Queue R.FifoQueue must be true or false, not "yes"',
    ]);
    expect(objectionsTo(resource('AWS::ECS::Service', { LaunchType: 'MOON' }))[0]).toContain(
      'LaunchType must be one of',
    );
    expect(objectionsTo(resource('AWS::Backup::BackupVault', {}))).toEqual([
      'AWS::Backup::BackupVault R: BackupVaultName is missing',
    ]);
    expect(objectionsTo(resource('AWS::Moon::Rocket', {}))).toEqual(['R: AWS knows no AWS::Moon::Rocket']);
  });
});

describe('a deploy that changes a stage', { timeout: SYNTHESIS_MS }, () => {
  /** What a deploy takes away or makes anew, by its id and the properties that are to blame. */
  const lost = (before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>) => {
    const now = new Map(synthesizeStage(after).map((resource) => [`${resource.template} ${resource.id}`, resource]));
    return synthesizeStage(before).flatMap((resource) => {
      const name = `${resource.template} ${resource.id}`;
      const successor = now.get(name);
      if (MADE_ANEW.has(resource.type)) return [];
      if (successor === undefined) return [`${name} is removed`];
      const because = replacedBy(resource, successor);
      return because.length === 0 ? [] : [`${name} is replaced because of ${because.join(', ')}`];
    });
  };
  /** What is never changed: each change makes another one beside it. */
  const MADE_ANEW = new Set(['AWS::ECS::TaskDefinition', 'AWS::Lambda::Version']);
  type Change = readonly [
    what: string,
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
  ];
  const changes: readonly Change[] = [
    ['two zones become three', {}, { zones: 3 }],
    ['two zones become three in a private network', { network: 'private' }, { network: 'private', zones: 3 }],
    ['16 shards become 125', {}, { shardCount: 125 }],
    ['one queue for events becomes four', {}, { eventQueues: 4, ingestConcurrency: 8 }],
    ['the small shape becomes the one for 10,000 connections', {}, { shape: '10k' }],
    ['an account gets room for reservations', { accountConcurrency: 10 }, {}],
  ];
  it.each(played(changes, 3))('replaces nothing and removes nothing when %s', (_, before, after) => {
    expect(lost(before, after)).toEqual([]);
  });

  it('takes back no more than the queues that it added when 125 shards become 16 again', () => {
    const losses = lost({ shardCount: 125 }, {});

    expect(losses).toHaveLength(125 - 16);
    expect(losses.filter((loss) => !/Queue\d+ is removed$/.test(loss))).toEqual([]);
  });

  it('is seen to replace what it replaces: a queue with another name', () => {
    const [queue] = synthesizeStage({}).filter(({ type }) => type === 'AWS::SQS::Queue');
    if (queue === undefined) throw new Error('there is no queue');

    expect(replacedBy(queue, { ...queue, properties: { ...queue.properties, QueueName: 'other' } })).toEqual([
      'QueueName',
    ]);
  });
});
