import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { composeTaskStopped } from '../../../functions/taskStopped/composition.ts';
import { makeTaskStoppedHandler } from '../../../functions/taskStopped/handler.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { leaseKey } from '../../../shared/fleet/fleetLease.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

/** An event as EventBridge hands it to a function; much of what ECS adds is left out. */
function anEcsEvent(containers: readonly { readonly name: string; readonly lastStatus: string }[]) {
  return {
    version: '0',
    id: '9bcdac79-b31f-4d3d-9410-fbd727c29fab',
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    region: 'us-east-1',
    detail: {
      taskArn: 'arn:aws:ecs:us-east-1:111122223333:task/prod/1d5f0e1a7c2b4a6e8f90',
      clusterArn: 'arn:aws:ecs:us-east-1:111122223333:cluster/prod',
      lastStatus: 'DEPROVISIONING',
      desiredStatus: 'STOPPED',
      containers: containers.map((container) => ({ ...container, exitCode: 137, taskArn: 'arn:…' })),
    },
  };
}

async function handled(event: unknown): Promise<readonly string[]> {
  const marked: string[] = [];
  const markTaskDead = (taskId: string): Promise<number> => {
    marked.push(taskId);
    return Promise.resolve(1);
  };
  await makeTaskStoppedHandler({ markTaskDead, logger: silentLogger })(event);
  return marked;
}

describe('stopped task', () => {
  it("marks the task's leases dead when its worker container has stopped", async () => {
    const event = anEcsEvent([
      { name: 'sidecar', lastStatus: 'RUNNING' },
      { name: 'worker', lastStatus: 'STOPPED' },
    ]);

    expect(await handled(event)).toEqual(['1d5f0e1a7c2b4a6e8f90']);
  });

  it.each([
    { what: 'the worker container runs', event: anEcsEvent([{ name: 'worker', lastStatus: 'RUNNING' }]) },
    { what: 'the worker container is being stopped', event: anEcsEvent([{ name: 'worker', lastStatus: 'STOPPING' }]) },
    { what: 'another container has stopped', event: anEcsEvent([{ name: 'sidecar', lastStatus: 'STOPPED' }]) },
    { what: 'the event is about something else', event: { 'detail-type': 'ECS Deployment State Change', detail: {} } },
    { what: 'there is no event', event: undefined },
  ])('touches nothing when $what', async ({ event }) => {
    expect(await handled(event)).toEqual([]);
  });

  it('fails when the store does, so that the event comes again', async () => {
    const markTaskDead = () => Promise.reject(new Error('no answer'));
    const event = anEcsEvent([{ name: 'worker', lastStatus: 'STOPPED' }]);

    const failed = makeTaskStoppedHandler({ markTaskDead, logger: silentLogger })(event);

    await expect(failed).rejects.toThrow('no answer');
  });

  it('writes DEAD into the lease of that task alone, for ever', async () => {
    const dynamoDb = await startDynamoDb();
    await createTables(dynamoDb.endpoint, 'test');
    const config = aStoreConfig({ dynamoDb });
    const table = makeDocumentClient(config);
    const [dead, other] = ['1d5f0e1a7c2b4a6e8f90', 'another-task'].map((taskId) =>
      leaseKey(taskId, makeId('wrk', Date.now(), systemRandom)),
    );
    for (const key of [dead, other]) {
      await table.send(new PutCommand({ TableName: 'test-fleet', Item: { ...key, state: 'ALIVE', heartbeat: 1 } }));
    }
    const stateOf = async (Key: typeof dead) =>
      (await table.send(new GetCommand({ TableName: 'test-fleet', Key, ConsistentRead: true }))).Item?.[
        'state'
      ] as unknown;

    await makeTaskStoppedHandler(composeTaskStopped(config))(anEcsEvent([{ name: 'worker', lastStatus: 'STOPPED' }]));

    expect([await stateOf(dead), await stateOf(other)]).toEqual(['DEAD', 'ALIVE']);
    table.destroy();
    await dynamoDb.stop();
  });
});
