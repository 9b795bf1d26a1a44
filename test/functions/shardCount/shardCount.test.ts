import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeShardCountHandler, refusalOf } from '../../../functions/shardCount/handler.ts';

describe('refusal of fewer shards or queues of events', () => {
  const change = (before: number, after: number, queues: readonly [before: number, after: number] = [1, 1]) => ({
    RequestType: 'Update' as const,
    ResourceProperties: { stage: 'prod', shardCount: after, eventQueues: queues[1] },
    OldResourceProperties: { shardCount: before, eventQueues: queues[0] },
  });
  const DEPLOYING = 'UPDATE_IN_PROGRESS';

  it.each([
    [16, 16],
    [16, 17],
    [400, 5_000],
  ])('lets %i become %i', (before, after) => {
    expect(refusalOf(change(before, after), DEPLOYING)).toBeUndefined();
  });

  it('names the setting, the stage and both numbers', () => {
    expect(refusalOf(change(125, 16), DEPLOYING)).toBe(
      'shardCount: stage prod has 125 shards, and shards are only ever added (received 16)',
    );
    expect(refusalOf(change(16, 16, [4, 2]), DEPLOYING)).toBe(
      'eventQueues: stage prod has 4 queues for events, and queues are only ever added (received 2)',
    );
  });

  it.each(['UPDATE_ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'])(
    'lets a deploy that failed be taken back: %s',
    (status) => {
      expect(refusalOf(change(125, 16, [4, 1]), status)).toBeUndefined();
    },
  );

  it('lets a stack be made and deleted', () => {
    const ResourceProperties = { stage: 'prod', shardCount: 1, eventQueues: 1 };

    expect(refusalOf({ RequestType: 'Create', ResourceProperties }, 'CREATE_IN_PROGRESS')).toBeUndefined();
    expect(refusalOf({ RequestType: 'Delete', ResourceProperties }, 'DELETE_IN_PROGRESS')).toBeUndefined();
  });
});

describe('custom resource of the shard count', () => {
  let server: Server;
  let answers: Record<string, unknown>[];
  let status: number;
  let contentTypes: (string | undefined)[];
  let stackStatus: string;
  let asked: string[];
  const handler = makeShardCountHandler((stackId) => {
    asked.push(stackId);
    return Promise.resolve(stackStatus);
  });

  beforeEach(async () => {
    answers = [];
    status = 200;
    contentTypes = [];
    stackStatus = 'UPDATE_IN_PROGRESS';
    asked = [];
    server = createServer((request, response) => {
      let text = '';
      contentTypes.push(request.headers['content-type']);
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        answers.push(JSON.parse(text) as Record<string, unknown>);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  // CloudFormation gives all properties as text.
  const request = (before: string, after: string) => ({
    RequestType: 'Update',
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'guard',
    PhysicalResourceId: 'guard',
    ResourceProperties: { ServiceToken: 'arn', stage: 'prod', shardCount: after, eventQueues: '1' },
    OldResourceProperties: { ServiceToken: 'arn', stage: 'prod', shardCount: before, eventQueues: '1' },
  });

  it('tells CloudFormation that a deploy with fewer shards failed, and why', async () => {
    await handler(request('125', '16'));

    expect(answers).toEqual([
      expect.objectContaining({ Status: 'FAILED', Reason: expect.stringContaining('shardCount: stage prod has 125') }),
    ]);
  });

  it('tells it to go on with as many or more, under the same id', async () => {
    await handler(request('16', '125'));

    expect(answers).toEqual([
      {
        Status: 'SUCCESS',
        StackId: 'stack',
        RequestId: 'request',
        LogicalResourceId: 'guard',
        PhysicalResourceId: 'guard',
      },
    ]);
  });

  it('lets a failed deploy from 16 to 125 be taken back, which CloudFormation asks for with the two swapped', async () => {
    stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';

    await handler(request('125', '16'));

    expect(answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
    expect(asked).toEqual(['stack']);
  });

  it('asks CloudFormation nothing where nothing becomes fewer', async () => {
    await handler(request('16', '125'));

    expect(asked).toEqual([]);
  });

  it('sends no content type, for which its URL is not signed', async () => {
    await handler(request('16', '16'));

    expect(contentTypes.map((type) => type ?? '')).toEqual(['']);
  });

  it('throws when the answer is not taken, so that the function counts as failed', async () => {
    status = 403;

    await expect(handler(request('16', '16'))).rejects.toThrow('CloudFormation did not take the answer: 403');
  });
});
