import {
  BatchExecuteStatementCommand,
  BatchGetCommand,
  DynamoDBDocumentClient,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toMessageView } from '../../../functions/routes/views.ts';
import { voidPlaces } from '../../../shared/event/eventPages.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { callStatusKey, type CallState } from '../../../shared/event/facts/callStatusFact.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { ReadDependencies } from '../../../shared/event/recording/readRows.ts';
import { type TenantId } from '../../../shared/kernel/id.ts';
import { eventSchema, type TenantEvent } from '../../../shared/event/event.ts';
import type { InboundContent } from '../../../shared/content/content.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { toShownError } from '../../../shared/message/sendError.ts';
import { aBatch, aMessageFact, aSentMessage, newIds, startEventStores, type EventStores } from './eventStores.ts';
import { eventIdOf } from './loggedEvents.ts';
import { recordFacts } from './recordFacts.ts';

const AT_MS = Date.UTC(2026, 7, 1, 12, 0, 5);
const aReceipt = (message: SentMessage, state: 'delivered' | 'read' | 'played'): Fact => ({
  kind: 'receipt',
  key: `receipt:${message.stanzaId}:${state}`,
  atMs: AT_MS,
  stanzaId: message.stanzaId,
  chat: message.to,
  recipient: message.to,
  state,
});

describe('recording facts', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  const logOf = async (tenantId: TenantId): Promise<readonly TenantEvent[]> => {
    const { events } = await readEvents(stores, tenantId, undefined, 100);
    // What is told to tenants is always what the published schema says.
    expect(events.map((event) => eventSchema.parse(event))).toEqual(events);
    return events;
  };
  type Command = Parameters<typeof stores.table.send>[0];
  const isPage = (command: Command): boolean =>
    command instanceof PutCommand && String(command.input.Item?.['pk']).startsWith('EVENTS#');
  const isRow = (command: Command): boolean =>
    command instanceof BatchExecuteStatementCommand ||
    (command instanceof PutCommand && String(command.input.Item?.['sk']).startsWith('FACT#')) ||
    (command instanceof UpdateCommand && String(command.input.Key?.['sk']).startsWith('MESSAGE#'));
  const isWrite = (command: Command): boolean => command instanceof PutCommand || command instanceof UpdateCommand;
  /** The stores, with something done before each request of a kind is sent. */
  const withBefore = (
    isMeant: (command: Command) => boolean,
    before: () => Promise<void>,
    around: ReadDependencies = stores,
  ): ReadDependencies => {
    const send = async (command: Command) => {
      if (isMeant(command)) await before();
      return around.table.send(command);
    };
    return { ...stores, table: Object.assign(Object.create(stores.table) as typeof stores.table, { send }) };
  };
  /** The stores, which carry out half of the statements of a call, and answer for the others as is said. */
  const withHalf = (answer: (others: number) => readonly { readonly Error: { readonly Code: string } }[]) => {
    const send = async (command: Command) => {
      if (!(command instanceof BatchExecuteStatementCommand)) return stores.table.send(command);
      const { Statements = [] } = command.input;
      const half = Statements.slice(0, Math.ceil(Statements.length / 2));
      const { Responses = [] } = await stores.table.send(new BatchExecuteStatementCommand({ Statements: half }));
      return { Responses: [...Responses, ...answer(Statements.length - half.length)] };
    };
    return { ...stores, table: Object.assign(Object.create(stores.table) as typeof stores.table, { send }) };
  };
  const once = (action: () => Promise<void>): (() => Promise<void>) => {
    let isDone = false;
    return async () => {
      if (isDone) return;
      isDone = true;
      await action();
    };
  };

  it('stores a message from a contact and tells of it', async () => {
    const ids = newIds();
    const fact = aMessageFact();

    const recorded = await recordFacts(stores, aBatch(ids, [fact]));

    const [event] = await logOf(ids.tenantId);
    expect(recorded).toEqual([
      { eventId: eventIdOf(1), type: 'message.received', correlationId: 'cor-of-batch', text: JSON.stringify(event) },
    ]);
    expect(event).toMatchObject({
      id: eventIdOf(1),
      type: 'message.received',
      occurredAt: '2026-08-01T12:00:00.000Z',
      data: {
        sender: { id: '4915111111111@s.whatsapp.net', phoneNumber: '+4915111111111', name: 'Ada' },
        content: { text: { body: 'good morning' } },
      },
    });
    const { messages: listed } = await stores.messages.list(ids.connectionId, {
      before: undefined,
      limit: 10,
      nowMs: AT_MS,
    });
    expect(listed).toMatchObject([
      { direction: 'in', senderName: 'Ada', messageId: (event?.data as { messageId?: string } | undefined)?.messageId },
    ]);
  });

  it('keeps what a message was wrapped in, in the event and with the message, and no list when that is nothing', async () => {
    const ids = newIds();
    const content: InboundContent = { type: 'unsupported', unsupported: { kind: 'field_300', fields: [300] } };
    const wrapped = aMessageFact({ content, flags: ['ephemeral', 'viewOnce'] });

    await recordFacts(stores, aBatch(ids, [wrapped, aMessageFact({ key: 'message:plain' })]));

    const events = await logOf(ids.tenantId);
    const page = { before: undefined, limit: 10, nowMs: AT_MS };
    const { messages: listed } = await stores.messages.list(ids.connectionId, page);
    const views = listed.map((message) => toMessageView(message));
    expect(events.map(({ data }) => data)).toEqual([
      expect.objectContaining({ content, flags: ['ephemeral', 'viewOnce'] }),
      expect.not.objectContaining({ flags: expect.anything() }),
    ]);
    expect(views.filter((view) => 'flags' in view)).toEqual([
      expect.objectContaining({ content, flags: ['ephemeral', 'viewOnce'] }),
    ]);
  });

  it('keeps what fetches the files of a message with it, and shows what it is a part of alone', async () => {
    const ids = newIds();
    const content: InboundContent = { type: 'image', image: { mime_type: 'image/jpeg' } };
    const files = [{ use: 'image', key: 'BwcHBw==', path: '/v/1', sha256: 'AQEB' }] as const;
    const partOf = { kind: 'album', stanzaId: 'ALBUM' };

    await recordFacts(stores, aBatch(ids, [aMessageFact({ content, files, partOf })]));

    const events = await logOf(ids.tenantId);
    const page = { before: undefined, limit: 10, nowMs: AT_MS };
    const { messages: listed } = await stores.messages.list(ids.connectionId, page);
    const views = listed.map((message) => toMessageView(message));
    expect(listed).toMatchObject([{ files, partOf }]);
    expect(events.map(({ data }) => data)).toMatchObject([{ content, partOf }]);
    expect(views).toMatchObject([{ content, partOf }]);
    expect(JSON.stringify([events, views])).not.toContain('BwcHBw==');
  });

  it('tells of a call, once', async () => {
    const ids = newIds();
    const call: Fact = {
      kind: 'call',
      key: 'call:1',
      atMs: AT_MS,
      callId: 'C1',
      caller: '904915111111111@lid',
      callerAlias: '4915111111111@s.whatsapp.net',
      video: false,
      isGroupCall: false,
      rejected: true,
    };

    await recordFacts(stores, aBatch(ids, [call]));
    await recordFacts(stores, aBatch(ids, [call]));

    const caller = { id: '904915111111111@lid', phoneNumber: '+4915111111111', lid: '904915111111111@lid' };
    const data = { callId: 'C1', caller, video: false, isGroupCall: false, rejected: true };
    expect(await logOf(ids.tenantId)).toMatchObject([{ type: 'call.received', data }]);
  });

  it('tells each state of a call once, whichever name of the caller it comes by', async () => {
    const ids = newIds();
    const [lid, number] = ['904915111111111@lid', '4915111111111@s.whatsapp.net'];
    const aState = (caller: string, state: CallState): Fact => ({
      kind: 'call_status',
      key: callStatusKey('C1', caller, state),
      otherKeys: [callStatusKey('C1', caller === lid ? number : lid, state)],
      atMs: AT_MS,
      callId: 'C1',
      caller,
      callerAlias: caller === lid ? number : lid,
      state,
    });

    await recordFacts(stores, aBatch(ids, [aState(lid, 'accepted')]));
    await recordFacts(stores, aBatch(ids, [aState(number, 'accepted'), aState(number, 'ended')]));

    const caller = { id: lid, phoneNumber: '+4915111111111', lid };
    expect((await logOf(ids.tenantId)).map(({ type, data }) => [type, data])).toEqual([
      ['call.status', { callId: 'C1', caller, status: 'accepted' }],
      ['call.status', { callId: 'C1', caller, status: 'ended' }],
    ]);
  });

  it('tells of an own message from another device as an echo', async () => {
    const ids = newIds();

    await recordFacts(stores, aBatch(ids, [aMessageFact({ fromMe: true })]));

    expect((await logOf(ids.tenantId)).map(({ type }) => type)).toEqual(['message.echo']);
  });

  it('keeps the facts of a batch in their order', async () => {
    const ids = newIds();
    const facts = ['one', 'two', 'three'].map((body) => aMessageFact({ content: { type: 'text', text: { body } } }));

    await recordFacts(stores, aBatch(ids, facts));

    const bodies = (await logOf(ids.tenantId)).map((event) => (event.data as { content: unknown }).content);
    expect(bodies).toEqual(['one', 'two', 'three'].map((body) => ({ type: 'text', text: { body } })));
  });

  it('finds the same events again when the same batch comes again', async () => {
    const ids = newIds();
    const batch = aBatch(ids, [aMessageFact(), aMessageFact()]);

    const first = await recordFacts(stores, batch);
    const second = await recordFacts(stores, batch);

    expect(second).toEqual(first);
    expect(await logOf(ids.tenantId)).toHaveLength(2);
  });

  it('does nothing for a fact that another batch has brought', async () => {
    const ids = newIds();
    const fact = aMessageFact();
    await recordFacts(stores, aBatch(ids, [fact], 'batch-1'));

    const again = await recordFacts(stores, aBatch(ids, [fact], 'batch-2'));

    expect(again).toEqual([]);
    expect(await logOf(ids.tenantId)).toHaveLength(1);
  });

  it('names an event once when a batch holds the same fact twice', async () => {
    const ids = newIds();
    const fact = aMessageFact();

    const recorded = await recordFacts(stores, aBatch(ids, [fact, fact]));

    expect(recorded).toHaveLength(1);
  });

  it('tells all of a batch under new places when its page was not written', async () => {
    const ids = newIds();
    const batch = aBatch(ids, [aMessageFact(), aMessageFact()]);
    const gone = withBefore(isPage, () => Promise.reject(new Error('the store is gone')));

    const failed = recordFacts(gone, batch);

    await expect(failed).rejects.toThrow('the store is gone');
    expect(await logOf(ids.tenantId)).toEqual([]);
    const again = await recordFacts(stores, batch);
    // The messages are there already, so each row is written by itself, and under the third number. Those before are
    // void: no reader waits for them.
    expect(again.map(({ eventId }) => eventId)).toEqual([eventIdOf(3), eventIdOf(3, 1)]);
    expect(await logOf(ids.tenantId)).toHaveLength(2);
  });

  it('tells all of a batch, once and in order, when only some of its rows were written', async () => {
    const ids = newIds();
    const batch = aBatch(ids, [aMessageFact(), aMessageFact(), aMessageFact()]);
    const half = withHalf(() => {
      throw new Error('no answer');
    });
    const gone = withBefore(isWrite, () => Promise.reject(new Error('gone')), half);

    await expect(recordFacts(gone, batch)).rejects.toThrow('gone');
    await recordFacts(stores, batch);

    const told = (await logOf(ids.tenantId)).map(({ data }) => (data as { stanzaId: string }).stanzaId);
    expect(told).toEqual(batch.events.map((fact) => (fact as { stanzaId: string }).stanzaId));
  });

  it('moves a message forward by its receipts, late ones excepted, and tells of each step once', async () => {
    const ids = newIds();
    const message = aSentMessage(ids);
    await stores.messages.create(message, 0);
    const states = ['delivered', 'read', 'delivered', 'read', 'played'] as const;
    const facts = states.map((state, index) => ({ ...aReceipt(message, state), key: `receipt-${index}` }));

    const recorded = await recordFacts(stores, aBatch(ids, facts));

    const events = await logOf(ids.tenantId);
    expect(recorded.map(({ correlationId }) => correlationId)).toEqual(Array(3).fill('cor-of-request'));
    expect(events.map((event) => (event.data as { status: string }).status)).toEqual(['delivered', 'read', 'played']);
    expect(await stores.messages.find(ids.connectionId, message.messageId)).toMatchObject({
      state: 'played',
      deliveredAtMs: AT_MS,
      readAtMs: AT_MS,
    });
  });

  const RECIPIENT_LID = '904915123456789@lid';
  it('names the same recipient at each state once both names are known, whichever a receipt tells', async () => {
    const ids = newIds();
    const message = aSentMessage(ids);
    await stores.messages.create(message, 0);
    const receipts = [
      { ...aReceipt(message, 'delivered'), recipient: message.to, recipientAlias: RECIPIENT_LID },
      { ...aReceipt(message, 'read'), recipient: RECIPIENT_LID },
    ] as readonly Fact[];

    await recordFacts(stores, aBatch(ids, receipts));

    const both = { id: RECIPIENT_LID, lid: RECIPIENT_LID, phoneNumber: '+4915123456789' };
    expect((await logOf(ids.tenantId)).map((event) => (event.data as { recipient: unknown }).recipient)).toEqual([
      both,
      both,
    ]);
    const row = await stores.messages.find(ids.connectionId, message.messageId);
    expect(row).toMatchObject({ to: message.to, toAlias: RECIPIENT_LID });
  });

  it('never tells of a delivery before the sending, nor of a reading before the delivery', async () => {
    const ids = newIds();
    const sentAtMs = AT_MS + 800;
    const message = aSentMessage(ids, { state: 'sent', sentAtMs });
    await stores.messages.create(message, 0);
    const facts = [aReceipt(message, 'delivered'), { ...aReceipt(message, 'read'), atMs: AT_MS - 1_000 }];

    await recordFacts(stores, aBatch(ids, facts));

    const sentAt = new Date(sentAtMs).toISOString();
    expect((await logOf(ids.tenantId)).map(({ occurredAt }) => occurredAt)).toEqual([sentAt, sentAt]);
    const row = await stores.messages.find(ids.connectionId, message.messageId);
    expect(row).toMatchObject({ deliveredAtMs: sentAtMs, readAtMs: sentAtMs });
  });

  it.each([
    ['before it was accepted, by a clock that is behind', {}, -60_000, 0],
    ['after a receipt that was faster', { state: 'delivered', deliveredAtMs: AT_MS + 500 }, 900, 500],
  ] as const)('never tells of a sending %s', async (_when, known, toldMs, shownMs) => {
    const ids = newIds();
    const message = aSentMessage(ids, { createdAtMs: AT_MS, ...known });
    await stores.messages.create(message, 0);
    const { messageId } = message;

    await recordFacts(
      stores,
      aBatch(ids, [{ kind: 'send_result', key: 'result', atMs: AT_MS + toldMs, messageId, state: 'sent' }]),
    );

    const [event] = await logOf(ids.tenantId);
    expect(event?.occurredAt).toBe(new Date(AT_MS + shownMs).toISOString());
  });

  it.each([
    ['by number and then by LID', 'number', 'both'],
    ['with both names in another order', 'both', 'swapped'],
  ] as const)('makes one event and one row of a stanza that comes twice: %s', async (_how, first, second) => {
    const ids = newIds();
    const common = { stanzaId: 'STANZA' as SentMessage['stanzaId'] };
    const NUMBER = '4915111111111@s.whatsapp.net';
    const LID = '904915111111111@lid';
    const ways = {
      number: aMessageFact({ ...common, key: 'by-number', chat: NUMBER, sender: NUMBER, receivedAtMs: AT_MS }),
      both: aMessageFact({ ...common, key: 'by-lid', otherKeys: ['by-number'], chat: LID, chatAlias: NUMBER }),
      swapped: aMessageFact({ ...common, key: 'by-number', otherKeys: ['by-lid'], chat: NUMBER, chatAlias: LID }),
    };

    const told = await recordFacts(stores, aBatch(ids, [ways[first]], 'batch-1'));
    const repeated = await recordFacts(stores, aBatch(ids, [ways[second]], 'batch-2'));
    const inOneBatch = await recordFacts(stores, aBatch(ids, [ways[first], ways[second]], 'batch-1'));

    expect(repeated).toEqual([]);
    expect(inOneBatch).toEqual(told);
    expect(await logOf(ids.tenantId)).toHaveLength(1);
    const page = { before: undefined, limit: 10, nowMs: AT_MS };
    expect((await stores.messages.list(ids.connectionId, page)).messages).toHaveLength(1);
  });

  it('lists messages of one second in the order of the log, also when their batch comes again', async () => {
    const ids = newIds();
    const facts = Array.from({ length: 30 }, (_, index) =>
      aMessageFact({ content: { type: 'text', text: { body: `${index}` } }, receivedAtMs: AT_MS + index }),
    );
    const bodiesOf = (found: readonly { readonly content: unknown }[]): readonly string[] =>
      found.map(({ content }) => (content as { text: { body: string } }).text.body);

    await recordFacts(stores, aBatch(ids, facts));
    await recordFacts(stores, aBatch(ids, facts));

    const { messages: listed } = await stores.messages.list(ids.connectionId, {
      before: undefined,
      limit: 100,
      nowMs: AT_MS,
    });
    const logged = (await logOf(ids.tenantId)).map(({ data }) => data as { content: unknown });
    expect(bodiesOf(listed).toReversed()).toEqual(bodiesOf(logged));
    expect(bodiesOf(logged)).toEqual(Array.from({ length: 30 }, (_, index) => `${index}`));
  });

  it('takes nobody at their word but those that a message went to', async () => {
    const ids = newIds();
    const group = '120363000000000001@g.us';
    const [message, toGroup] = [aSentMessage(ids), aSentMessage(ids, { to: group, members: 1 })];
    for (const each of [message, toGroup]) await stores.messages.create(each, 0);
    const STRANGER = '904900000000000@lid';
    const foreign = [
      { ...aReceipt(message, 'read'), chat: STRANGER, recipient: STRANGER },
      { ...aReceipt(message, 'read'), chat: STRANGER, recipient: message.to },
      { ...aReceipt(message, 'read'), chat: group, recipient: STRANGER },
      { ...aReceipt(toGroup, 'read'), chat: STRANGER, recipient: STRANGER },
      { ...aReceipt(toGroup, 'read'), chat: '120363000000000002@g.us', recipient: STRANGER },
    ].map((fact, index) => ({ ...fact, key: `foreign-${index}` })) as readonly Fact[];

    const recorded = await recordFacts(stores, aBatch(ids, foreign));
    const rows = await Promise.all(
      [message, toGroup].map(({ messageId }) => stores.messages.find(ids.connectionId, messageId)),
    );
    const own = { ...aReceipt(toGroup, 'read'), chat: group, recipient: STRANGER, key: 'member' } as Fact;
    await recordFacts(stores, aBatch(ids, [own], 'batch-2'));

    expect(recorded).toEqual([]);
    expect(rows.map((row) => row?.direction === 'out' && [row.state, row.toAlias])).toEqual([
      [message.state, undefined],
      [toGroup.state, undefined],
    ]);
    expect((await logOf(ids.tenantId)).map(({ data }) => data)).toMatchObject([
      { messageId: toGroup.messageId, status: 'read', recipient: { id: STRANGER } },
    ]);
  });

  it('lists what was sent between what was received, in the order in which both happened', async () => {
    const ids = newIds();
    const question = aMessageFact({ receivedAtMs: AT_MS });
    const answer = aSentMessage(ids, { createdAtMs: AT_MS + 1 });
    const thanks = aMessageFact({ receivedAtMs: AT_MS + 2 });

    await recordFacts(stores, aBatch(ids, [question]));
    await stores.messages.create(answer, 0);
    await recordFacts(stores, aBatch(ids, [thanks], 'batch-2'));

    const page = await stores.messages.list(ids.connectionId, { before: undefined, limit: 10, nowMs: AT_MS });
    expect(page.messages.map(({ stanzaId }) => stanzaId)).toEqual([
      (thanks as { readonly stanzaId: string }).stanzaId,
      answer.stanzaId,
      (question as { readonly stanzaId: string }).stanzaId,
    ]);
  });

  it('says nothing of a receipt for a message that the phone sent', async () => {
    const ids = newIds();

    const recorded = await recordFacts(stores, aBatch(ids, [aReceipt(aSentMessage(ids), 'read')]));

    expect(recorded).toEqual([]);
    expect(await logOf(ids.tenantId)).toEqual([]);
  });

  it('tells of the result of a send, with the error and the recipient', async () => {
    const ids = newIds();
    const message = aSentMessage(ids, { state: 'failed', error: { code: 'refused', whatsappCode: 400 } });
    await stores.messages.create(message, 0);
    const error = toShownError({ code: 'refused', whatsappCode: 400 });
    const { messageId, stanzaId } = message;

    await recordFacts(
      stores,
      aBatch(ids, [
        { kind: 'send_result', key: `result:${messageId}`, atMs: AT_MS, messageId, state: 'failed', error },
      ]),
    );

    expect((await logOf(ids.tenantId))[0]).toMatchObject({
      type: 'message.status',
      correlationId: 'cor-of-request',
      data: {
        messageId,
        stanzaId,
        status: 'failed',
        recipient: { id: message.to, phoneNumber: '+4915123456789' },
        error,
      },
    });
  });

  it('tells of a status with its sentence and what to do', async () => {
    const ids = newIds();

    await recordFacts(
      stores,
      aBatch(ids, [{ kind: 'status', key: 'status:1', atMs: AT_MS, status: 'unpaired', code: 'logged_out' }]),
    );

    expect((await logOf(ids.tenantId))[0]).toMatchObject({
      type: 'connection.status',
      data: {
        status: 'unpaired',
        code: 'logged_out',
        sentence: 'The phone or WhatsApp removed this linked device.',
        userAction: 'pair_again',
        since: '2026-08-01T12:00:05.000Z',
      },
    });
  });

  it.each([
    ['another transaction', 'TransactionConflict'],
    ['a throttled row', 'ThrottlingError'],
    ['no answer', undefined],
  ])('writes each row by itself when all together met %s', async (_what, Code) => {
    const ids = newIds();
    const busy = withHalf((others) => {
      if (Code === undefined) throw new Error('no answer');
      return Array.from({ length: others }, () => ({ Error: { Code } }));
    });
    const facts = Array.from({ length: 5 }, () => aMessageFact());

    const recorded = await recordFacts(busy, aBatch(ids, facts));

    expect(recorded.map(({ eventId }) => eventId)).toEqual(facts.map((_fact, index) => eventIdOf(2, index)));
    expect(await logOf(ids.tenantId)).toHaveLength(5);
  });

  it('takes another number when a reader has settled the one it held', async () => {
    const ids = newIds();
    const lane = { generation: 0, lane: 0 };
    const settle = once(async () => {
      await voidPlaces(stores, ids.tenantId, { lane, first: 1, previousTakenAtMs: 0 });
    });

    const recorded = await recordFacts(withBefore(isPage, settle), aBatch(ids, [aMessageFact()]));

    expect(recorded.map(({ eventId }) => eventId)).toEqual([eventIdOf(2)]);
    expect(await logOf(ids.tenantId)).toHaveLength(1);
  });

  it('decides again when a message moved on in between', async () => {
    const ids = newIds();
    const message = aSentMessage(ids);
    await stores.messages.create(message, 0);
    const race = once(async () => {
      await recordFacts(stores, aBatch(ids, [aReceipt(message, 'read')], 'batch-2'));
    });

    const recorded = await recordFacts(withBefore(isRow, race), aBatch(ids, [aReceipt(message, 'delivered')]));

    expect(recorded).toEqual([]);
    expect((await logOf(ids.tenantId)).map(({ data }) => data)).toMatchObject([{ status: 'read' }]);
  });

  it('gives up when others are in its way six times, and leaves no number open', async () => {
    const ids = newIds();
    const conflict = Object.assign(new Error('in the way'), { name: 'TransactionConflictException' });
    const busy = withBefore(isRow, () => Promise.reject(conflict));

    const failed = recordFacts(busy, aBatch(ids, [aMessageFact()]));

    await expect(failed).rejects.toThrow('others write the same rows');
    await recordFacts(stores, aBatch(ids, [aMessageFact()]));
    expect((await logOf(ids.tenantId)).map(({ id }) => id)).toEqual([eventIdOf(7)]);
  });

  it('passes throttling on, so that the batch comes again', async () => {
    const ids = newIds();
    const throttled = Object.assign(new Error('too fast'), { name: 'ProvisionedThroughputExceededException' });
    const table = mockClient(DynamoDBDocumentClient.from(stores.table));
    table.on(BatchGetCommand).rejects(throttled);

    const failed = recordFacts(
      { ...stores, table: table as unknown as typeof stores.table },
      aBatch(ids, [aMessageFact()]),
    );

    await expect(failed).rejects.toThrow('too fast');
    table.restore();
  });

  it('writes the sending, a receipt and their events with one row', async () => {
    const ids = newIds();
    const message = aSentMessage(ids);
    await stores.messages.create(message, 0);
    const { messageId } = message;
    const toAlias = '904915123456789@lid';
    const sent = { kind: 'send_result', key: 'result', atMs: AT_MS, messageId, state: 'sent', toAlias } as const;
    let rows = 0;
    const counting = withBefore(isRow, () => Promise.resolve(void rows++));

    await recordFacts(counting, aBatch(ids, [sent, aReceipt(message, 'delivered')]));

    const row = await stores.messages.find(ids.connectionId, messageId);
    expect(row).toMatchObject({ state: 'delivered', sentAtMs: AT_MS, deliveredAtMs: AT_MS, toAlias });
    expect((await logOf(ids.tenantId)).map(({ data }) => data)).toMatchObject([
      { status: 'sent', recipient: { lid: toAlias } },
      { status: 'delivered', recipient: { lid: toAlias } },
    ]);
    expect(rows).toBe(1);
  });

  const aResult = (message: SentMessage, state: 'sent' | 'failed' | 'cancelled'): Fact => ({
    kind: 'send_result',
    key: `result:${message.messageId}`,
    atMs: AT_MS,
    messageId: message.messageId,
    state,
    ...(state === 'failed' ? { error: toShownError({ code: 'refused', whatsappCode: 400 }) } : {}),
  });
  it.each([
    ['a message that is being sent', 'sending', 'sent', { state: 'sent', sentAtMs: AT_MS }],
    ['a message that waits again', 'parked', 'sent', { state: 'sent', sentAtMs: AT_MS }],
    ['a row that says it already', 'sent', 'sent', { state: 'sent' }],
    ['a message whose receipt was faster', 'delivered', 'sent', { state: 'delivered', sentAtMs: AT_MS }],
    ['a message that is being sent', 'sending', 'failed', { state: 'failed', endedAtMs: AT_MS }],
    ['a message that its tenant cancelled', 'cancelled', 'cancelled', { state: 'cancelled' }],
  ] as const)('writes and tells, once, the result of %s (%s): %s', async (_what, state, result, row) => {
    const ids = newIds();
    const message = aSentMessage(ids, { state });
    await stores.messages.create(message, 0);

    await recordFacts(stores, aBatch(ids, [aResult(message, result)]));
    await recordFacts(stores, aBatch(ids, [aResult(message, result)], 'batch-2'));

    expect((await logOf(ids.tenantId)).map(({ data }) => data)).toMatchObject([{ status: result }]);
    expect(await stores.messages.find(ids.connectionId, message.messageId)).toMatchObject(row);
  });

  it.each(['sent', 'delivered', 'read'] as const)('tells no failure of a message that is %s', async (state) => {
    const ids = newIds();
    const message = aSentMessage(ids, { state });
    await stores.messages.create(message, 0);

    await recordFacts(stores, aBatch(ids, [aResult(message, 'failed')]));

    expect(await logOf(ids.tenantId)).toEqual([]);
    expect(await stores.messages.find(ids.connectionId, message.messageId)).toMatchObject({ state });
  });

  it('tells no failure of a try that a newer owner has taken over, but its success', async () => {
    const ids = newIds();
    const message = aSentMessage(ids, { state: 'queued' });
    await stores.messages.create(message, 0);
    await stores.messages.beginSending({ ...ids, token: 2 }, message.messageId, undefined, 0);

    await recordFacts(stores, aBatch(ids, [aResult(message, 'failed')]));
    await recordFacts(stores, aBatch(ids, [aResult(message, 'sent')], 'batch-2'));

    expect((await logOf(ids.tenantId)).map(({ data }) => data)).toMatchObject([{ status: 'sent' }]);
  });

  it('splits what is too long for one page, in order', async () => {
    const ids = newIds();
    const facts = Array.from({ length: 12 }, (_, index) =>
      aMessageFact({ content: { type: 'text', text: { body: `${index} ${'x'.repeat(60_000)}` } } }),
    );

    const recorded = await recordFacts(stores, aBatch(ids, facts));

    const pages = new Set(recorded.map(({ eventId }) => eventId.slice(0, -2)));
    expect(pages.size).toBe(3);
    const told = await logOf(ids.tenantId);
    expect(recorded.map(({ text }) => JSON.parse(text) as unknown)).toEqual(told);
    expect(told.map(({ data }) => (data as { stanzaId: string }).stanzaId)).toEqual(
      facts.map((fact) => (fact as { stanzaId: string }).stanzaId),
    );
  });
});
