import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { metadataUrl, workerConfig } from '../../shared/platform/config.ts';
import { readFleet } from '../../shared/fleet/fleetTable.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { askWhereThisRuns, parseTaskMetadata } from '../../worker/ecsTask.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { makeKeyFile, startWorkerProcess } from './workerProcess.ts';

const metadata = {
  Cluster: 'prod',
  TaskARN: 'arn:aws:ecs:us-east-1:111122223333:task/prod/158d1c8083dd49d6b527399fd6414f5c',
  Family: 'worker',
  Revision: '7',
  AvailabilityZone: 'us-east-1d',
  Containers: [],
};
const nextTry = { sleep: () => Promise.resolve() };

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

/** ECS's endpoint, as a container sees it. Returns the base that stands in its environment. */
async function startMetadata(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v4/container`;
}

describe('the task that ECS names', () => {
  it('is the last part of its ARN, which the report of its end names, too, and the zone', () => {
    expect(parseTaskMetadata(metadata)).toMatchObject({
      taskId: '158d1c8083dd49d6b527399fd6414f5c',
      zone: 'us-east-1d',
    });
  });

  it('is of the deploy generation that ECS counts, so that a newer definition takes over from an older one', () => {
    const environment = {
      HOLDFAST_STAGE: 'test',
      HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1/1/',
      HOLDFAST_KEY_FILE: '/k',
    };
    const place = parseTaskMetadata(metadata);

    expect(place.generation).toBe(7);
    expect(workerConfig(environment, place).deployGeneration).toBe(7);
    expect(workerConfig({ ...environment, HOLDFAST_GENERATION: '40' }, place).deployGeneration).toBe(40);
    expect(workerConfig({ ...environment, HOLDFAST_TASK_ID: 'mine' }).deployGeneration).toBe(0);
  });

  it('has no zone where ECS does not say it', () => {
    const { AvailabilityZone: _, ...rest } = metadata;

    expect(parseTaskMetadata(rest).zone).toBeUndefined();
  });

  it.each([[{}], [{ ...metadata, TaskARN: 'task' }], ['text'], [null]])('is not read out of %j', (wrong) => {
    expect(() => parseTaskMetadata(wrong)).toThrow('ECS says nothing of the task that can be read');
  });

  it('is asked for where the environment does not name it, and only there', () => {
    const ECS_CONTAINER_METADATA_URI_V4 = 'http://169.254.170.2/v4/1';

    expect(metadataUrl({ ECS_CONTAINER_METADATA_URI_V4 })).toBe('http://169.254.170.2/v4/1/task');
    expect(metadataUrl({ ECS_CONTAINER_METADATA_URI_V4, HOLDFAST_TASK_ID: 'mine' })).toBeUndefined();
    expect(metadataUrl({})).toBeUndefined();
  });

  it('gives way to what the environment says', () => {
    const environment = {
      HOLDFAST_STAGE: 'test',
      HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1/1/',
      HOLDFAST_KEY_FILE: '/keys/root',
      HOLDFAST_ZONE: 'here',
    };

    const { taskId, zone } = workerConfig(environment, { taskId: 'theirs', zone: 'there', generation: undefined });

    expect([taskId, zone]).toEqual(['theirs', 'here']);
  });
});

describe("ECS's metadata endpoint", () => {
  it('is asked again when it is not there yet', async () => {
    const asked: string[] = [];
    const base = await startMetadata((request, response) => {
      asked.push(request.url ?? '');
      if (asked.length === 1) response.writeHead(500).end();
      else response.end(JSON.stringify(metadata));
    });

    const place = await askWhereThisRuns(`${base}/task`, nextTry);

    expect(place.taskId).toBe('158d1c8083dd49d6b527399fd6414f5c');
    expect(asked).toEqual(['/v4/container/task', '/v4/container/task']);
  });

  it('is given up after three tries, with a sentence that says what is missing', async () => {
    let asked = 0;
    const base = await startMetadata((_request, response) => {
      asked += 1;
      response.writeHead(404).end();
    });

    const asking = askWhereThisRuns(`${base}/task`, nextTry);

    await expect(asking).rejects.toThrow(
      /HOLDFAST_TASK_ID is not set, and ECS could not be asked at http.*: it answered 404/,
    );
    expect(asked).toBe(3);
  });

  it('has two seconds for each answer, as a worker that waits for ever would never be replaced', async () => {
    const base = await startMetadata(() => undefined);

    const asking = askWhereThisRuns(`${base}/task`, nextTry);

    await expect(asking).rejects.toThrow('aborted due to timeout');
  });
});

describe('a worker process', () => {
  it('says which of the two ways to name its task it found neither of', async () => {
    const worker = startWorkerProcess({ HOLDFAST_STAGE: 'test', HOLDFAST_KEY_FILE: '/keys/root' });

    expect(await worker.exited).toBe(1);
    expect(worker.errors()).toContain(
      'HOLDFAST_TASK_ID: must name the task: only ECS says so by itself (received nothing)',
    );
  });

  it('takes its lease under the task and the zone that ECS names', async () => {
    const [dynamoDb, queues] = await Promise.all([startDynamoDb(), startQueues()]);
    stops.push(dynamoDb.stop, queues.stop);
    await Promise.all([createTables(dynamoDb.endpoint, 'test'), createQueues(queues.endpoint, 'test', 1)]);
    const keyFile = makeKeyFile();
    stops.push(() => Promise.resolve(keyFile.remove()));
    const base = await startMetadata((_request, response) => response.end(JSON.stringify(metadata)));
    const worker = startWorkerProcess({
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
      HOLDFAST_SQS_ENDPOINT: queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: '1',
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      ECS_CONTAINER_METADATA_URI_V4: base,
    });

    await worker.ready;
    const { leases } = await readFleet({ table: makeDocumentClient(aStoreConfig({ dynamoDb })), stage: 'test' }, 1);
    worker.signal('SIGTERM');

    expect(leases).toMatchObject([{ taskId: '158d1c8083dd49d6b527399fd6414f5c', zone: 'us-east-1d' }]);
    expect(await worker.exited).toBe(0);
  });
});
