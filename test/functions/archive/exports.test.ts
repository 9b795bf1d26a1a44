import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archivePartition, DUE_ARCHIVES } from '../../../shared/platform/archiveKeys.ts';
import type { ExportJob } from '../../../shared/archive/archiveJob.ts';
import type { TenantId } from '../../../shared/kernel/id.ts';
import { restoreRows } from '../../../shared/archive/restoreRows.ts';
import { keptRowSchema } from '../../../shared/archive/restoredRow.ts';
import { chatPartition } from '../../../shared/platform/chatKeys.ts';
import { contactPartition } from '../../../shared/platform/contactKeys.ts';
import { messagePartition } from '../../../shared/platform/keys.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { receive } from '../queueStack.ts';
import { eventQueueName } from '../../../shared/platform/queues.ts';
import { ADA, ADA_LID, aConversation, aReceived, ArchiveWorld, BOB, GROUP, toRow } from './archiveWorld.ts';

type Row = Readonly<Record<string, unknown>>;
const DAY_MS = 86_400_000;

describe('an export', { timeout: 120_000 }, () => {
  let world: ArchiveWorld;
  beforeAll(async () => {
    world = await ArchiveWorld.start();
  });
  afterAll(() => world.stop());

  const jobOf = async ({ tenantId, jobId }: ExportJob): Promise<ExportJob> => {
    const found = await world.jobs.find(tenantId, jobId);
    if (found?.kind !== 'export') throw new Error('the export is gone');
    return found;
  };
  const textsIn = (lines: readonly Row[]): readonly string[] =>
    lines.flatMap(({ kind, message }) =>
      kind === 'message' ? [(message as { content: { text: { body: string } } }).content.text.body] : [],
    );
  /** Rows by partition and key, without the time at which they end. */
  const contentOf = async (connectionId: Parameters<typeof messagePartition>[0]): Promise<readonly Row[]> => {
    const parts = [
      messagePartition(connectionId),
      contactPartition(connectionId),
      ...[0, 1, 2, 3].map((part) => chatPartition(connectionId, part)),
    ];
    const rows = (await Promise.all(parts.map((pk) => world.rowsOf(pk)))).flat();
    return rows.map(({ ttl: _ttl, ...row }) => row);
  };
  const openOf = async (tenantId: TenantId): Promise<number> =>
    (await world.rowsOf(DUE_ARCHIVES)).filter((row) => row['tenantId'] === tenantId).length;
  /** An export as it is told, of which each is taken from its queue once. */
  async function told(tenantId: TenantId): Promise<readonly Row[]> {
    const found: Row[] = [];
    for (;;) {
      const messages = await receive(world.stack, `${world.stack.queueUrlBase}${eventQueueName('test')}`);
      if (messages.length === 0) return found;
      for (const { Body = '' } of messages) {
        const batch = JSON.parse(Body) as { readonly tenantId: string; readonly events: readonly Row[] };
        if (batch.tenantId === tenantId) found.push(...batch.events);
      }
    }
  }

  it('has every message once with its versions and receipts, and chats, people and numbers, and is told', async () => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    await world.put(aConversation(connection));
    const asked = await world.ask(tenantId);

    await world.run();
    const job = await jobOf(asked);
    const { manifest, lines } = await world.read(job);

    expect(job).toMatchObject({ state: 'done', parts: 1, isTold: true });
    expect(manifest).toMatchObject({ exportId: job.jobId, tenantId, counts: job.counts, asked: { media: false } });
    expect(job.counts).toEqual({ connection: 1, message: 5, version: 2, receipts: 1, chat: 3, contact: 2, number: 1 });
    expect(lines.find(({ kind }) => kind === 'receipts')).toMatchObject({
      receipts: [
        { recipient: { id: ADA_LID, phoneNumber: '+4915111111111' }, deliveredAt: expect.any(String) as string },
      ],
    });
    expect(lines.filter(({ kind }) => kind === 'version')).toMatchObject([
      { version: { content: { text: { body: 'good morning' } } } },
      { version: { content: { text: { body: 'good evening' } } } },
    ]);
    const { counts, parts, bytes } = job;
    expect(await told(tenantId)).toMatchObject([{ kind: 'export_end', exportId: job.jobId, counts, parts, bytes }]);
  });

  it('has what was asked for alone: a connection, a chat, a person everywhere, a time', async () => {
    const tenantId = world.newTenant();
    const [one, other] = [await world.aConnection(tenantId), await world.aConnection(tenantId)];
    await world.put([...aConversation(one), ...aConversation(other, false)]);
    await world.put([toRow(aReceived(one, 'of today', { createdAtMs: Date.now() }))]);
    const { connectionId } = one;
    const since = Date.now() - 60_000;

    const asked = [
      await world.ask(tenantId, { connectionId }),
      await world.ask(tenantId, { connectionId, chat: GROUP }, [GROUP]),
      await world.ask(tenantId, { contact: ADA }),
      await world.ask(tenantId, { connectionId, fromMs: since }),
      await world.ask(tenantId, { connectionId, untilMs: since, chat: BOB }, [BOB]),
    ];
    await world.run();
    await world.run();
    const read = await Promise.all(
      asked.map(async (job) => textsIn((await world.read(await jobOf(job))).lines).toSorted()),
    );

    const ofAda = ['Ada in the group', 'good evening'];
    expect(read).toEqual([
      ['Ada in the group', 'Bob in the group', 'from Bob', 'good evening', 'hello', 'of today'],
      ['Ada in the group', 'Bob in the group', 'hello'],
      [...ofAda, ...ofAda, 'of today'].toSorted(),
      ['of today'],
      ['from Bob'],
    ]);
  });

  it('is brought back as it was, into the same connection and into another one, and a second time not at all', async () => {
    const tenantId = world.newTenant();
    const [one, other] = [await world.aConnection(tenantId), await world.aConnection(tenantId)];
    await world.put(aConversation(one));
    const before = await contentOf(one.connectionId);
    const job = await world.ask(tenantId, { connectionId: one.connectionId });
    await world.run();
    const { lines } = await world.read(await jobOf(job));
    const rows = lines.flatMap(({ kind, kept }) => (kept === undefined ? [] : [keptRowSchema.parse({ kind, kept })]));
    const back = (connectionId: typeof one.connectionId) =>
      restoreRows({ ...world.stack, nowMs: Date.now() }, { tenantId, connectionId }, rows);

    const there = await back(one.connectionId);
    const elsewhere = await back(other.connectionId);
    const again = await back(other.connectionId);
    const moved = (await contentOf(other.connectionId)).map(
      (row) => JSON.parse(JSON.stringify(row).replaceAll(other.connectionId, one.connectionId)) as Row,
    );

    expect([there.written, again.written, elsewhere.there]).toEqual([{}, {}, {}]);
    expect(elsewhere.written).toEqual({ message: 5, version: 2, receipts: 1, chat: 3, contact: 2, number: 1 });
    expect(moved).toEqual(before);
  });

  it.each([
    [5, 'before'],
    [9, 'after'],
    [12, 'after'],
  ] as const)(
    'goes on where it was, with no line twice, where the process dies: at call %i, %s it',
    async (at, when) => {
      const tenantId = world.newTenant();
      await world.put(aConversation(await world.aConnection(tenantId)));
      const asked = await world.ask(tenantId, { contact: ADA });
      const life = new Life({ at, when });

      await world.run(life);
      await world.run();
      const job = await jobOf(asked);
      const { lines } = await world.read(job);

      expect([life.isDead, job.state, job.isTold, textsIn(lines)]).toEqual([
        true,
        'done',
        true,
        ['good evening', 'Ada in the group'],
      ]);
    },
  );

  it.each(['its time is over', 'it is deleted'])('goes with all its objects when %s', async (why) => {
    const tenantId = world.newTenant();
    await world.put(aConversation(await world.aConnection(tenantId)));
    const asked = await world.ask(tenantId);
    await world.run();
    const job = await jobOf(asked);
    if (why === 'it is deleted') await world.jobs.change(job, { state: 'deleting', dueAtMs: Date.now() });

    await world.run();
    const [between] = await world.rowsOf(archivePartition(tenantId));
    world.aheadMs = 7 * DAY_MS + 1_000;
    await world.run();
    world.aheadMs = 0;

    expect(between === undefined).toBe(why === 'it is deleted');
    expect([...world.objects.kept.keys()].filter((key) => key.includes(tenantId))).toEqual([]);
    expect([await world.rowsOf(archivePartition(tenantId)), await openOf(tenantId)]).toEqual([[], 0]);
  });

  it('is made by a schedule at its time, once, and none while the one before is under way', async () => {
    const tenantId = world.newTenant();
    const { connectionId } = await world.aConnection(tenantId);
    const dueAtMs = Date.now() - 1_000;
    const schedule = { tenantId, kind: 'schedule', jobId: 'schedule', version: 1, dueAtMs } as const;
    await world.jobs.create({ ...schedule, every: 'day', days: 3, connectionId, media: false, keptDays: 30 });
    const made = async () => (await world.jobs.list(tenantId, 'export', { before: undefined, limit: 10 })).jobs;

    await Promise.all([world.run(), world.run()]);
    await world.run();
    const [first, ...others] = await made();
    world.aheadMs = 3 * DAY_MS;
    await world.run();
    world.aheadMs = 0;

    expect([first, others]).toMatchObject([
      { state: 'done', isScheduled: true, keptDays: 30, asked: { connectionId, fromMs: dueAtMs - 3 * DAY_MS } },
      [],
    ]);
    expect(await made()).toHaveLength(2);
    expect(await world.jobs.find(tenantId, 'schedule')).toMatchObject({ dueAtMs: dueAtMs + 4 * DAY_MS });
  });

  it('fails where it has come no further for a day, and is told as failed', async () => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    await world.put(aConversation(connection));
    const asked = await world.ask(tenantId);
    const store = world.objects.write.bind(world.objects);
    world.objects.write = () => Promise.reject(new Error('nobody answers'));

    await world.run();
    const early = await jobOf(asked);
    world.aheadMs = DAY_MS + 60_000;
    await world.run();
    await world.run();
    world.aheadMs = 0;
    world.objects.write = store;

    expect([early.state, (await jobOf(asked)).state]).toEqual(['running', 'failed']);
    expect(await told(tenantId)).toEqual([]);
    expect(world.stack.metrics.totalOf('ArchiveStuck', {})).toBeGreaterThan(0);
  });

  it('notes a name without taking the place of a part that has it', async () => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    await world.put(aConversation(connection));
    const asked = await world.ask(tenantId);
    await world.run();
    const job = await jobOf(asked);
    const [part] = await world.files.listParts(job);

    await world.files.note(job, part?.name ?? '');

    expect(await world.files.listParts(job)).toEqual([part]);
  });
});
