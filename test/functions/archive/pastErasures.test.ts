import { inflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErasureJob } from '../../../shared/archive/archiveJob.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { keysOfPast } from '../../../shared/history/pastKeys.ts';
import { toPhoneJid } from '../../../shared/kernel/jid.ts';
import { mediaIdsOf } from '../../../shared/media/media.ts';
import { makePastRow } from '../../../shared/message/pastRow.ts';
import { PastMessages } from '../../../shared/message/pastMessages.ts';
import { scanItems, type Item } from '../../../shared/platform/pages.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { receive } from '../queueStack.ts';
import { ADA, ADA_LID, aConversation, aReceived, ArchiveWorld, BOB, GROUP, toRow } from './archiveWorld.ts';
import { aPast, bringHistory, type Past } from './pastOf.ts';

describe('the erasure of a person from the history', { timeout: 120_000 }, () => {
  let world: ArchiveWorld;
  beforeAll(async () => {
    world = await ArchiveWorld.start();
  });
  afterAll(() => world.stop());

  const past = () => new PastMessages(world.stack);
  const textsOf = async (connection: Connection, chat: string): Promise<readonly string[]> => {
    const messages = await Array.fromAsync(past().list(connection, [chat], undefined, Date.now()));
    return messages.map(({ content }) => (content.type === 'text' ? content.text.body : content.type));
  };
  const bring = async (connection: Connection, all: readonly Past[]) => {
    const messages = all.map((one) => aPast(connection, one));
    await bringHistory(world.stack, connection, messages);
    return messages;
  };
  const jobOf = async ({ tenantId, jobId }: ErasureJob): Promise<ErasureJob> => {
    const found = await world.jobs.find(tenantId, jobId);
    if (found?.kind !== 'erasure') throw new Error('the erasure is gone');
    return found;
  };
  /** Everything in Core as text, with what is packed in sheets. */
  const allText = async (): Promise<string> => {
    const texts: string[] = [];
    for await (const item of scanItems(world.stack.table, { TableName: tableName('test', 'core') })) {
      texts.push(textOf(item));
    }
    return texts.join('\n');
  };
  const mine = [
    { text: 'Ada long ago', chat: ADA_LID, chatAlias: ADA },
    { text: 'to Ada long ago', chat: ADA_LID, chatAlias: ADA, fromMe: true },
    { text: 'Ada in the old group', chat: GROUP, sender: ADA_LID, senderAlias: ADA },
  ];
  const others = [
    { text: 'Bob long ago', chat: BOB },
    { text: 'Bob in the old group', chat: GROUP, sender: BOB },
  ];

  it('takes out what they wrote and what was written to them, and leaves all else that stands in the same rows', async () => {
    const tenantId = world.newTenant();
    const [one, elsewhere] = [await world.aConnection(tenantId), await world.aConnection(world.newTenant())];
    await world.put(aConversation(one));
    const messages = await bring(one, [...mine, ...others]);
    await bring(elsewhere, [...mine, ...others]);

    const asked = await world.erase(tenantId, ADA);
    await world.run();

    expect(await jobOf(asked)).toMatchObject({ state: 'done', removed: { history: 3, messages: 2 } });
    expect(await textsOf(one, GROUP)).toEqual(['Bob in the old group']);
    expect([await textsOf(one, ADA_LID), await textsOf(one, BOB)]).toEqual([[], ['Bob long ago']]);
    expect(await textsOf(elsewhere, GROUP)).toEqual(['Bob in the old group', 'Ada in the old group']);
    const keys = messages.flatMap(keysOfPast);
    const named = await past().findIds(one, [ADA_LID, GROUP, BOB], keys, Date.now());
    expect([...new Set(named.values())].toSorted()).toEqual(
      messages
        .slice(3)
        .map(({ messageId }) => messageId)
        .toSorted(),
    );
  });

  it('removes rows that such messages have of their own, and asks for their files', async () => {
    const tenantId = world.newTenant();
    const connection = await world.aConnection(tenantId);
    const file = { use: 'document', path: '/v/1', key: 'key', mime_type: 'application/pdf', left: true } as const;
    const [message] = await bring(connection, [{ text: 'with a file', chat: ADA, files: [file] }]);
    if (message === undefined) throw new Error('there is no message');
    const parts = { table: world.stack.table, stage: 'test', past: past() };
    await makePastRow(parts, connection.connectionId, message.messageId, Date.now());

    const asked = await world.erase(tenantId, ADA);
    await world.run();
    const jobs = await receive(world.stack, `${world.stack.queueUrlBase}${mediaQueueName('test')}`);
    const ids = jobs.flatMap(
      ({ Body = '' }) => (JSON.parse(Body) as { readonly mediaIds: readonly string[] }).mediaIds,
    );

    expect(await jobOf(asked)).toMatchObject({ removed: { history: 1, messages: 1, files: 1 } });
    expect([...new Set(ids)]).toEqual(mediaIdsOf(message.messageId, [file]));
    expect(await past().find(connection, message.messageId)).toBeUndefined();
  });

  it('leaves nothing, and counts no message twice, wherever the process dies', async () => {
    let deaths = 0;
    for (let [at, isOver] = [1, false]; !isOver; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const tenantId = world.newTenant();
        const connection = await world.aConnection(tenantId);
        await bring(connection, [...mine, ...others]);
        const asked = await world.erase(tenantId, ADA_LID);
        await world.put([toRow(aReceived(connection, 'known by both', { chat: ADA_LID, chatAlias: ADA }))]);
        const life = new Life({ at, when });

        await world.run(life);
        await world.run();

        const job = await jobOf(asked);
        const left = [...(await textsOf(connection, ADA_LID)), ...(await textsOf(connection, GROUP))];
        expect([at, when, job.state, left]).toEqual([at, when, 'done', ['Bob in the old group']]);
        expect(job.removed.history ?? 0).toBeLessThanOrEqual(3);
        deaths += life.isDead ? 1 : 0;
        isOver = !life.isDead;
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(2 * 10);
  });

  const person = fc.record({ number: fc.integer({ min: 100_000_000, max: 999_999_999 }), hasLid: fc.boolean() });
  const kinds = ['chat', 'to', 'group', 'other chat', 'other in group'] as const;
  const said = fc.array(fc.record({ kind: fc.constantFrom(...kinds), isPast: fc.boolean() }), {
    minLength: 1,
    maxLength: 130,
  });

  it('leaves nothing of the person in any row of the table, and everything of the others', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(person, said, async ({ number, hasLid }, all) => {
        run += 1;
        const tenantId = world.newTenant();
        const connection = await world.aConnection(tenantId);
        const digits = `4917${number}${run}`;
        const phone = toPhoneJid(digits);
        const lid = `88${number}${run}@lid`;
        const id = hasLid ? lid : phone;
        const ours = `secret-${run}-${number}`;
        const theirs = `public-${run}-${number}`;
        const alias = hasLid ? { alias: phone } : {};
        await world.put(aConversation(connection, false));
        const messages = all.map(({ kind, isPast }, place) => {
          const isHers = kind === 'chat' || kind === 'to' || kind === 'group';
          const chat = kind === 'group' || kind === 'other in group' ? GROUP : isHers ? id : BOB;
          const sender = kind === 'other in group' ? BOB : kind === 'group' ? id : chat;
          const text = `${isHers ? ours : theirs} ${place}`;
          const names = {
            ...(chat === id && hasLid ? { chatAlias: alias.alias } : {}),
            ...(sender === id && hasLid ? { senderAlias: alias.alias } : {}),
          };
          return { isHers, isPast, of: { text, chat, sender, fromMe: kind === 'to', ...names } };
        });
        await bringHistory(
          world.stack,
          connection,
          messages.filter(({ isPast }) => isPast).map(({ of }) => aPast(connection, of)),
        );
        await world.put(
          messages
            .filter(({ isPast }) => !isPast)
            .map(({ of: { text, fromMe, ...of } }) =>
              toRow(aReceived(connection, text, { ...of, direction: fromMe ? 'echo' : 'in' })),
            ),
        );

        const job = await world.erase(tenantId, id);
        await world.run();

        expect((await jobOf(job)).state).toBe('done');
        const text = await allText();
        expect([text.includes(ours), text.includes(digits), text.includes(lid)]).toEqual([false, false, false]);
        const kept = messages.filter(({ isHers }) => !isHers).map(({ of }) => of.text);
        expect(kept.filter((one) => !text.includes(`"${one}"`))).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});

function textOf({ data, ...item }: Item): string {
  const packed = data instanceof Uint8Array ? inflateRawSync(data).toString() : JSON.stringify(data);
  return `${JSON.stringify(item)} ${packed}`;
}
