import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toRestoredPast, keptRowSchema, type KeptRow } from '../../../shared/archive/restoredRow.ts';
import { restoreRows } from '../../../shared/archive/restoreRows.ts';
import type { ExportJob } from '../../../shared/archive/archiveJob.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makePastRow } from '../../../shared/message/pastRow.ts';
import { PastMessages } from '../../../shared/message/pastMessages.ts';
import { toStoredMap } from '../../../shared/platform/itemValues.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { ADA, ADA_LID, aConversation, ArchiveWorld, BOB, GROUP } from './archiveWorld.ts';
import { aPast, bringHistory } from './pastOf.ts';

type Row = Readonly<Record<string, unknown>>;

describe('an export of a connection with a history', { timeout: 120_000 }, () => {
  let world: ArchiveWorld;
  beforeAll(async () => {
    world = await ArchiveWorld.start();
  });
  afterAll(() => world.stop());

  const past = () => new PastMessages(world.stack);
  const listed = async (connection: Connection, chat: string) => {
    const messages = await Array.fromAsync(past().list(connection, [chat], undefined, Date.now()));
    return messages.map(({ connectionId: _connection, ...message }) => message);
  };
  const aHistory = async (connection: Connection) => {
    const messages = [
      ...Array.from({ length: 130 }, (_, place) => aPast(connection, { text: `old ${place}`, chat: BOB })),
      aPast(connection, { text: 'Ada in the old group', chat: GROUP, sender: ADA_LID, senderAlias: ADA }),
      aPast(connection, { text: 'Bob in the old group', chat: GROUP, sender: BOB }),
      aPast(connection, { text: 'Ada long ago', chat: ADA_LID, chatAlias: ADA }),
    ];
    await bringHistory(world.stack, connection, messages);
    return messages;
  };
  const linesOf = async ({ tenantId, jobId }: ExportJob): Promise<readonly Row[]> => {
    const job = await world.jobs.find(tenantId, jobId);
    if (job?.kind !== 'export' || job.state !== 'done') throw new Error('the export is not done');
    const { lines, manifest } = await world.read(job);
    expect(manifest.counts).toEqual(job.counts);
    return lines;
  };
  const textsIn = (lines: readonly Row[], of = 'history'): readonly string[] =>
    lines
      .filter(({ kind }) => kind === of)
      .map(({ message }) => (message as { content: { text: { body: string } } }).content.text.body);
  const keptIn = (lines: readonly Row[]): readonly KeptRow[] =>
    lines.flatMap(({ kind, kept }) => (kept === undefined ? [] : [keptRowSchema.parse({ kind, kept })]));

  it('has each message of it once, and of a chat, a person or a time those alone', async () => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    const { connectionId } = connection;
    await world.put(aConversation(connection));
    const messages = await aHistory(connection);
    const [first] = messages;
    const parts = { table: world.stack.table, stage: 'test', past: past() };
    await makePastRow(parts, connectionId, first?.messageId ?? makeId('msg', 0, systemRandom), Date.now());
    const untilMs = (messages[2]?.createdAtMs ?? 0) + 1;

    const asked = [
      await world.ask(tenantId),
      await world.ask(tenantId, { connectionId, chat: GROUP }, [GROUP]),
      await world.ask(tenantId, { contact: ADA }),
      await world.ask(tenantId, { connectionId, untilMs }),
    ];
    for (let runs = 0; runs < 3; runs += 1) await world.run();
    const [all = [], ofGroup = [], ofAda = [], ofTime = []] = await Promise.all(asked.map(linesOf));

    expect(textsIn(all).toSorted()).toEqual(
      messages
        .slice(1)
        .map(({ content }) => (content.type === 'text' ? content.text.body : ''))
        .toSorted(),
    );
    expect(textsIn(all, 'message')).toContain('old 0');
    expect(textsIn(ofGroup)).toEqual(['Bob in the old group', 'Ada in the old group']);
    expect(textsIn(ofAda).toSorted()).toEqual(['Ada in the old group', 'Ada long ago']);
    expect([textsIn(ofTime), textsIn(ofTime, 'message')]).toEqual([['old 2', 'old 1'], ['old 0']]);
  });

  it('is brought back as it was, into the same connection and into another one, and a second time not at all', async () => {
    const tenantId = world.newTenant();
    const [one, other] = [await world.aConnection(tenantId), await world.aConnection(tenantId)];
    await aHistory(one);
    const before = await Promise.all([BOB, GROUP, ADA_LID].map((chat) => listed(one, chat)));
    const asked = await world.ask(tenantId, { connectionId: one.connectionId });
    for (let runs = 0; runs < 3; runs += 1) await world.run();
    const rows = keptIn(await linesOf(asked));
    const back = (connection: Connection) =>
      restoreRows({ ...world.stack, nowMs: Date.now() }, { tenantId, connectionId: connection.connectionId }, rows);

    const [there, elsewhere, again] = [await back(one), await back(other), await back(other)];

    expect(there.malformed).toEqual({});
    expect([elsewhere.written, elsewhere.malformed]).toEqual([{ history: 133 }, {}]);
    expect([again.written, again.there]).toEqual([{}, { history: 133 }]);
    for (const connection of [one, other]) {
      expect(await Promise.all([BOB, GROUP, ADA_LID].map((chat) => listed(connection, chat)))).toEqual(before);
    }
  });

  it('is brought back whole where the process dies at any call, and is called again', async () => {
    const tenantId = world.newTenant();
    const one = await world.aConnection(tenantId);
    await aHistory(one);
    const asked = await world.ask(tenantId, { connectionId: one.connectionId });
    for (let runs = 0; runs < 3; runs += 1) await world.run();
    const rows = keptIn(await linesOf(asked));
    let deaths = 0;

    for (let [at, isOver] = [1, false]; !isOver; at += 1) {
      const into = await world.aConnection(tenantId);
      const life = new Life({ at, when: 'after' });
      const back = async (table: typeof world.stack.table) => {
        const stores = { table, stage: 'test', nowMs: Date.now() };
        for (let from = 0; from < rows.length; from += 20) {
          await restoreRows(stores, { tenantId, connectionId: into.connectionId }, rows.slice(from, from + 20));
        }
      };

      await back(life.of(world.stack.table)).catch(() => undefined);
      await back(world.stack.table);

      for (const chat of [BOB, GROUP, ADA_LID]) expect(await listed(into, chat)).toEqual(await listed(one, chat));
      deaths += life.isDead ? 1 : 0;
      isOver = !life.isDead;
    }
    expect(deaths).toBeGreaterThan(3);
  });

  it.each([
    ['is in no chat', { chat: undefined }],
    ['was sent from here', { direction: 'out' }],
    ['is in another chat than its id says', { chat: GROUP }],
    ['has no id of ours', { messageId: 'msg_1' }],
    ['has no time', { createdAtMs: 'now' }],
    ['says nothing', { content: 'x' }],
    ['has no id of WhatsApp', { stanzaId: 7 }],
  ])('is none where a line of it %s', async (_why, change) => {
    const connection = await world.aConnection(world.newTenant());
    const row = { ...aPast(connection, { text: 'x', chat: ADA }), ...change };

    const read = toRestoredPast({ kind: 'history', kept: toStoredMap(row) }, connection);

    expect(read).toBe('malformed');
  });
});
