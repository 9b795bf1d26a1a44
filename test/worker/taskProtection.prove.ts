import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readFleet } from '../../shared/fleet/fleetTable.ts';
import { makeTaskProtector } from '../../worker/ecsTask.ts';
import { until } from '../whatsapp/until.ts';
import type { WorkerProcess } from './workerProcess.ts';
import { WorkerRoom } from './workerRoom.ts';

const PATIENCE_MS = 30_000;

type Mode = 'well' | 'refuses' | 'fails with 200' | 'silent' | 'garbled';

/** ECS's agent as a container sees it, for one task. */
async function startAgent(mode: Mode) {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      asked.push([request.method, request.url, request.headers['content-type'], JSON.parse(body)]);
      const { ProtectionEnabled } = JSON.parse(body) as { readonly ProtectionEnabled: boolean };
      const TaskArn = 'arn:aws:ecs:us-east-1:111122223333:task/prod/1';
      if (mode === 'silent') return;
      if (mode === 'garbled') response.end('<html>');
      else if (mode === 'refuses') {
        const error = { Arn: TaskArn, Code: 'AccessDeniedException', Message: 'not authorized' };
        response.writeHead(400).end(JSON.stringify({ requestID: '1', error }));
      } else if (mode === 'fails with 200') {
        response.end(JSON.stringify({ failure: { Arn: TaskArn, Reason: 'DEPLOYMENT_BLOCKED' } }));
      } else response.end(JSON.stringify({ protection: { ProtectionEnabled, TaskArn } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/container`,
    asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("ECS's agent", () => {
  it.each([
    { mode: 'refuses', reason: '400: AccessDeniedException' },
    { mode: 'fails with 200', reason: '200: DEPLOYMENT_BLOCKED' },
    { mode: 'garbled', reason: '200: nothing that can be read' },
    { mode: 'silent', reason: 'aborted due to timeout' },
  ] as const)('that $mode is told of with its reason', async ({ mode, reason }) => {
    const agent = await startAgent(mode);
    const protect = makeTaskProtector(`${agent.url}/task-protection/v1/state`);

    await expect(protect(30)).rejects.toThrow(reason);

    await agent.stop();
  });
});

describe('a worker process on ECS, when a newer generation comes', () => {
  let room: WorkerRoom;
  const agents: Awaited<ReturnType<typeof startAgent>>[] = [];
  beforeAll(async () => {
    room = await WorkerRoom.start([]);
  });
  afterEach(async () => {
    await room.dismissAll();
    for (const agent of agents.splice(0)) await agent.stop();
  });
  afterAll(() => room.stop());

  const owner = async (): Promise<string | undefined> => (await readFleet(room.fleetTable, 1)).shards[0]?.owner;
  const untilOwns = (worker: WorkerProcess): Promise<unknown> =>
    worker.ready.then((workerId) => until('the shard', owner, (one) => one === workerId, PATIENCE_MS));
  const failuresOf = ({ lines }: WorkerProcess) =>
    lines.filter((line) => line['message'] === 'protection of the task could not be changed');
  /** An old worker that owns the shard until a new one has it. */
  async function takeOver(mode: Mode, name: string) {
    const agent = await startAgent(mode);
    agents.push(agent);
    const settings = (generation: number) => ({ HOLDFAST_GENERATION: String(generation), ECS_AGENT_URI: agent.url });
    const old = room.aWorker(`old-${name}`, settings(1));
    await untilOwns(old);
    const before = agent.asked.length;
    const young = room.aWorker(`young-${name}`, settings(2));
    await untilOwns(young);
    return { agent, old, before };
  }
  const put = (body: unknown) => ['PUT', '/api/container/task-protection/v1/state', 'application/json', body];

  it('protects its task until its shards have left, and not before or after', async () => {
    const { agent, old, before } = await takeOver('well', 'well');
    await until(
      'the lift',
      () => agent.asked,
      (asked) => asked.length === 2,
      PATIENCE_MS,
    );
    old.signal('SIGTERM');

    expect(await old.exited).toBe(0);
    expect(before).toBe(0);
    expect(agent.asked).toEqual([
      put({ ProtectionEnabled: true, ExpiresInMinutes: 30 }),
      put({ ProtectionEnabled: false }),
    ]);
  });

  it('hands its shards over all the same where the agent is silent, says so, and drains when it is stopped', async () => {
    const { old } = await takeOver('silent', 'silent');
    await until(
      'the warning',
      () => failuresOf(old),
      (lines) => lines.length > 0,
      PATIENCE_MS,
    );
    old.signal('SIGTERM');

    expect(await old.exited).toBe(0);
    expect(JSON.stringify(failuresOf(old)[0])).toContain('aborted due to timeout');
    expect(old.lines.some((line) => Number(line['TaskProtectionFailed']) >= 1 && line['step'] === 'protect')).toBe(
      true,
    );
  });
});
