import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archivePartition, DUE_ARCHIVES } from '../../../shared/platform/archiveKeys.ts';
import { messagePartition } from '../../../shared/platform/keys.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { ADA, aConversation, ArchiveWorld, GROUP } from './archiveWorld.ts';
import { aPast, bringHistory } from './pastOf.ts';

const DAY_MS = 86_400_000;

describe('a process of the archive function that dies at any of its calls', { timeout: 600_000 }, () => {
  let world: ArchiveWorld;
  beforeAll(async () => {
    world = await ArchiveWorld.start();
  });
  afterAll(() => world.stop());

  /** Does something with a death before and after each call, until there is none left. Returns the number of deaths. */
  async function atEachCall(work: (life: Life, name: string) => Promise<void>): Promise<number> {
    for (let [at, deaths] = [1, 0]; ; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const life = new Life({ at, when });
        await work(life, `${when} call ${at}`);
        if (!life.isDead) return deaths;
        deaths += 1;
      }
    }
  }

  it('leaves an export that has each line once, and is told', async () => {
    const deaths = await atEachCall(async (life, name) => {
      const tenantId = world.newTenant();
      const connection = await world.aConnection(tenantId);
      await world.put(aConversation(connection));
      await bringHistory(world.stack, connection, [
        aPast(connection, { text: 'long ago', chat: ADA }),
        aPast(connection, { text: 'long ago to all', chat: GROUP, sender: ADA }),
      ]);
      const asked = await world.ask(tenantId, { contact: ADA });

      await world.run(life);
      await world.run();
      const job = await world.jobs.find(tenantId, asked.jobId);
      const { lines, manifest } = await world.read(asked);

      expect([name, job]).toMatchObject([name, { state: 'done', isTold: true, counts: manifest.counts }]);
      expect([name, lines.map(({ kind }) => kind)]).toEqual([
        name,
        ['connection', 'message', 'version', 'version', 'message', 'chat', 'contact', 'number', 'history', 'history'],
      ]);
    });
    expect(deaths).toBeGreaterThanOrEqual(2 * 12);
  });

  it('leaves nothing of an export that is over', async () => {
    const deaths = await atEachCall(async (life, name) => {
      const tenantId = world.newTenant();
      await world.put(aConversation(await world.aConnection(tenantId)));
      await world.ask(tenantId);
      await world.run();

      world.aheadMs = 7 * DAY_MS + 1_000;
      await world.run(life);
      await world.run();
      world.aheadMs = 0;

      const objects = [...world.objects.kept.keys()].filter((key) => key.includes(tenantId));
      const due = (await world.rowsOf(DUE_ARCHIVES)).filter((row) => row['tenantId'] === tenantId);
      expect([name, objects, await world.rowsOf(archivePartition(tenantId)), due]).toEqual([name, [], [], []]);
    });
    expect(deaths).toBeGreaterThanOrEqual(2 * 8);
  });

  it('leaves nothing of a person who was erased', async () => {
    const deaths = await atEachCall(async (life, name) => {
      const tenantId = world.newTenant();
      const connection = await world.aConnection(tenantId);
      await world.put(aConversation(connection));
      const asked = await world.erase(tenantId, ADA);

      await world.run(life);
      await world.run();

      expect([name, await world.jobs.find(tenantId, asked.jobId)]).toMatchObject([
        name,
        { state: 'done', isTold: true, connections: 1, unfinished: 0 },
      ]);
      const left = JSON.stringify(await world.rowsOf(messagePartition(connection.connectionId)));
      expect([name, /good (morning|evening)|Ada in the group/.test(left)]).toEqual([name, false]);
    });
    expect(deaths).toBeGreaterThanOrEqual(2 * 15);
  });
});
