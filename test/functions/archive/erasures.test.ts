import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErasureJob } from '../../../shared/archive/archiveJob.ts';
import { chatPartition } from '../../../shared/platform/chatKeys.ts';
import { contactPartition, numberLookUpKey } from '../../../shared/platform/contactKeys.ts';
import { messagePartition } from '../../../shared/platform/keys.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import { toSentItem } from '../../../shared/message/messageItem.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { aSentMessage } from '../../shared/event/eventStores.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { receive } from '../queueStack.ts';
import { ADA, ADA_LID, aConversation, aReceived, ArchiveWorld, toRow } from './archiveWorld.ts';

describe('the erasure of a person', { timeout: 120_000 }, () => {
  let world: ArchiveWorld;
  beforeAll(async () => {
    world = await ArchiveWorld.start();
  });
  afterAll(() => world.stop());

  const jobOf = async ({ tenantId, jobId }: ErasureJob): Promise<ErasureJob> => {
    const found = await world.jobs.find(tenantId, jobId);
    if (found?.kind !== 'erasure') throw new Error('the erasure is gone');
    return found;
  };
  const contentOf = async (connectionId: ConnectionId) => {
    const parts = [
      messagePartition(connectionId),
      contactPartition(connectionId),
      ...[0, 1, 2, 3].map((part) => chatPartition(connectionId, part)),
    ];
    return Promise.all(parts.map((pk) => world.rowsOf(pk)));
  };
  const textOf = async (connectionId: ConnectionId): Promise<string> => JSON.stringify(await contentOf(connectionId));

  it('removes their chats, what they wrote in groups, and what is known of them, on all connections and under all names', async () => {
    const tenantId = world.newTenant();
    const [one, other, others] = [
      await world.aConnection(tenantId),
      await world.aConnection(tenantId),
      await world.aConnection(world.newTenant()),
    ];
    for (const connection of [one, other, others]) await world.put(aConversation(connection, connection !== other));
    await world.put([{ ...numberLookUpKey(one.connectionId, '4915111111111'), lid: ADA_LID }]);
    const before = await contentOf(others.connectionId);

    const asked = await world.erase(tenantId, ADA_LID);
    await world.run();
    const job = await jobOf(asked);

    expect(job).toMatchObject({
      state: 'done',
      connections: 2,
      removed: { messages: 4, versions: 4, chats: 2, contacts: 2, numbers: 1, lookUps: 1 },
      unfinished: 0,
      isTold: true,
    });
    expect([job.names, job.contact.includes('6471520')]).toEqual([[], false]);
    for (const { connectionId } of [one, other]) {
      const left = await textOf(connectionId);
      expect(left).toContain('from Bob');
      expect(left).toContain('Bob in the group');
      expect(left).not.toMatch(/good (morning|evening)|Ada in the group/);
    }
    expect(await contentOf(others.connectionId)).toEqual(before);
  });

  it('leaves a message that is still to leave, counts it, and asks for the files of those that go', async () => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    const file = { use: 'document', path: '/v/1', key: 'key', mime_type: 'application/pdf' } as const;
    await world.put([
      toSentItem(aSentMessage(connection, { to: ADA, state: 'queued', createdAtMs: Date.now() })),
      toSentItem(aSentMessage(connection, { to: ADA, state: 'sent', createdAtMs: Date.now() })),
      toRow(aReceived(connection, 'with a file', { files: [file] })),
    ]);

    const asked = await world.erase(tenantId, ADA);
    await world.run();
    const jobs = await receive(world.stack, `${world.stack.queueUrlBase}${mediaQueueName('test')}`);

    expect(await jobOf(asked)).toMatchObject({ removed: { messages: 2, files: 1 }, unfinished: 1 });
    expect(jobs.map(({ Body = '' }) => JSON.parse(Body) as unknown)).toMatchObject([
      {
        kind: 'erase_files',
        tenantId,
        connectionId: connection.connectionId,
        mediaIds: [expect.stringMatching(/^med_/)],
      },
    ]);
  });

  it.each([
    [4, 'before'],
    [13, 'after'],
  ] as const)('goes on where it was, and is told, where the process dies: at call %i, %s it', async (at, when) => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    await world.put(aConversation(connection));
    const asked = await world.erase(tenantId, ADA);
    const life = new Life({ at, when });

    await world.run(life);
    await world.run();

    expect([life.isDead, await jobOf(asked)]).toMatchObject([true, { state: 'done', isTold: true }]);
    expect(await textOf(connection.connectionId)).not.toMatch(/good (morning|evening)|Ada in the group/);
  });
});
