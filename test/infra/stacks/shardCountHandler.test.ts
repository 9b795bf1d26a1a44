import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handler, refusalOf } from '../../../infra/stacks/shardCountHandler.ts';

describe('refusal of fewer shards', () => {
  const change = (before: number, after: number) => ({
    RequestType: 'Update' as const,
    ResourceProperties: { stage: 'prod', shardCount: after },
    OldResourceProperties: { shardCount: before },
  });

  it.each([
    [16, 16],
    [16, 17],
    [400, 5_000],
  ])('lets %i become %i', (before, after) => {
    expect(refusalOf(change(before, after))).toBeUndefined();
  });

  it('names the setting, the stage and both numbers', () => {
    expect(refusalOf(change(125, 16))).toBe(
      'shardCount: stage prod has 125 shards, and shards are only ever added (received 16)',
    );
  });

  it('lets a stack be made and deleted', () => {
    const ResourceProperties = { stage: 'prod', shardCount: 1 };

    expect(refusalOf({ RequestType: 'Create', ResourceProperties })).toBeUndefined();
    expect(refusalOf({ RequestType: 'Delete', ResourceProperties })).toBeUndefined();
  });
});

describe('custom resource of the shard count', () => {
  let server: Server;
  let answers: Record<string, unknown>[];
  let status: number;

  beforeEach(async () => {
    answers = [];
    status = 200;
    server = createServer((request, response) => {
      let text = '';
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
    ResourceProperties: { ServiceToken: 'arn', stage: 'prod', shardCount: after },
    OldResourceProperties: { ServiceToken: 'arn', stage: 'prod', shardCount: before },
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

  it('throws when the answer is not taken, so that the function counts as failed', async () => {
    status = 403;

    await expect(handler(request('16', '16'))).rejects.toThrow('CloudFormation did not take the answer: 403');
  });
});
