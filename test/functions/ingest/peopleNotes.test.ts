import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PeopleNotes } from '../../../functions/ingest/peopleNotes.ts';
import { ContactStore, NEW_CONTACTS_A_DAY } from '../../../shared/contact/contactStore.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { LoggedEvent } from '../../../shared/event/recording/loggedEvent.ts';
import { makeIngestHandler } from '../../../functions/ingest/handler.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { aBatch, aMessageFact, newIds } from '../../shared/event/eventStores.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { ContactWorld } from '../../shared/contact/contactWorld.ts';
import { aRecord, startQueueStack, type QueueStack } from '../queueStack.ts';

const LID = '222@lid';
const PN = '4915100000002@s.whatsapp.net';
const from = (sender: string, overrides: object = {}): Fact =>
  aMessageFact({ chat: sender, sender, senderName: 'Ada', ...overrides });

describe('people in what ingest records', () => {
  let stack: QueueStack;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());

  /** Notes of one process, with the names of the calls that they make. */
  const counted = (parts: Partial<QueueStack> = {}) => {
    const calls: string[] = [];
    const table = new Proxy(stack.table, {
      get: (target, name) =>
        name === 'send'
          ? (command: object) => {
              calls.push(command.constructor.name);
              return target.send(command as never);
            }
          : Reflect.get(target, name),
    });
    const contacts = new ContactStore({ ...stack, table });
    return { calls, notes: new PeopleNotes({ ...stack, ...parts, contacts }) };
  };
  const recordedOf = (facts: readonly Fact[], events: readonly LoggedEvent[] = [], ids = newIds()) => {
    const { events: _, ...source } = aBatch(ids, []);
    return { source, facts: facts.map((fact) => ({ fact })), events };
  };

  it('cost two writes and a count when they are new, and nothing while they are remembered', async () => {
    const { calls, notes } = counted();
    const recorded = recordedOf([from(LID, { chatAlias: PN, senderAlias: PN })]);

    await notes.note([recorded]);
    const first = calls.splice(0);
    for (let again = 0; again < 5; again += 1) await notes.note([recorded]);

    expect(first).toEqual(['BatchGetCommand', 'UpdateCommand', 'PutCommand', 'PutCommand']);
    expect(calls).toEqual([]);
  });

  it('are read once more by another process, and not written', async () => {
    const recorded = recordedOf([from(LID, { chatAlias: PN, senderAlias: PN })]);
    await counted().notes.note([recorded]);
    const { calls, notes } = counted();

    await notes.note([recorded]);

    expect(calls).toEqual(['BatchGetCommand']);
  });

  it('are no more than so many new ones a day, whoever writes; who is known goes on to be noted', async () => {
    const metrics = keepingMetrics();
    const ids = newIds();
    const known = recordedOf([from(LID)], [], ids);
    await counted().notes.note([known]);
    const { contacts } = new ContactWorld(stack);
    expect(await contacts.admit(ids.connectionId, NEW_CONTACTS_A_DAY - 2, stack.clock.nowMs())).toBe('admitted');
    const strangers = ['301@lid', '302@lid'].map((lid) => from(lid));

    await counted({ metrics }).notes.note([recordedOf([...strangers, from(LID, { senderName: 'Ada L.' })], [], ids)]);

    const page = await contacts.list(ids.connectionId, { after: undefined, limit: 10, nowMs: stack.clock.nowMs() });
    expect(page.contacts).toMatchObject([{ id: LID, push: 'Ada L.' }]);
    expect(metrics.totalOf('ContactsNotKept', {})).toBe(2);
  });

  it('are left where the store fails, which harms no message, and noted with their next one', async () => {
    const broken = { send: () => Promise.reject(new Error('away')) } as unknown as QueueStack['table'];
    const notes = new PeopleNotes({ ...stack, contacts: new ContactStore({ ...stack, table: broken }) });
    const world = new ContactWorld(stack);
    const fact = from(LID);

    await notes.note([recordedOf([fact], [], world.ids)]);
    expect(await world.all()).toEqual([]);
    await world.note(fact);

    expect(await world.all()).toMatchObject([{ id: LID }]);
  });

  it('are given up after two seconds where the store does not answer, so that no message waits longer', async () => {
    const silent = { send: () => new Promise(() => undefined) } as unknown as QueueStack['table'];
    const notes = new PeopleNotes({ ...stack, contacts: new ContactStore({ ...stack, table: silent }) });

    await notes.note([recordedOf([from(LID)])]);

    expect(stack.logLines.some((line) => line.includes('people are not noted in time'))).toBe(true);
  });

  it('are those to whom a message went, under the name that WhatsApp has for them, and merge in the middle of a send', async () => {
    const ids = newIds();
    const sent = (recipient: object, messageId = 'msg_01K3C5E9H1J3K5M7P9R1T3V5X7'): LoggedEvent => ({
      eventId: 'evt_1' as LoggedEvent['eventId'],
      type: 'message.status',
      correlationId: 'cor' as LoggedEvent['correlationId'],
      text: JSON.stringify({ type: 'message.status', data: { messageId, stanzaId: 'S', status: 'sent', recipient } }),
    });
    const published: string[] = [];
    const queue = {
      send: ({ input }: { readonly input: { readonly MessageBody: string } }) => {
        published.push(input.MessageBody);
        return Promise.resolve({});
      },
    } as unknown as QueueStack['queue'];
    const { notes } = counted({ queue });

    await notes.note([recordedOf([], [sent({ id: PN, phoneNumber: '+4915100000002' })], ids)]);
    await notes.note([recordedOf([], [sent({ id: LID, lid: LID, phoneNumber: '+4915100000002' })], ids)]);

    const { contacts } = new ContactWorld(stack);
    const page = await contacts.list(ids.connectionId, { after: undefined, limit: 10, nowMs: stack.clock.nowMs() });
    expect(page.contacts).toMatchObject([{ id: LID, number: '4915100000002' }]);
    expect(published).toHaveLength(1);
    expect(published[0]).toContain('contact_merged');
  });

  it('are told in the log when two were one, once, however often the batch comes', async () => {
    const ids = newIds();
    const handle = async (facts: readonly Fact[], id: string) =>
      makeIngestHandler(stack)({
        Records: [aRecord(JSON.stringify(aBatch(ids, facts, id)), { id, group: ids.connectionId })],
      });
    await handle([from(PN)], 'one');
    const queue = {
      send: async ({ input }: { readonly input: { readonly MessageBody?: string } }) => {
        if (input.MessageBody !== undefined) {
          const record = aRecord(input.MessageBody, { id: 'told', group: ids.connectionId });
          await makeIngestHandler(stack)({ Records: [record] });
        }
        return {};
      },
    } as unknown as QueueStack['queue'];
    for (let again = 0; again < 2; again += 1) {
      const people = new PeopleNotes({ ...stack, queue, contacts: new ContactStore(stack) });
      const both = aBatch(ids, [from(LID, { key: 'message:both', chatAlias: PN, senderAlias: PN })], 'two');
      await makeIngestHandler({ ...stack, people })({
        Records: [aRecord(JSON.stringify(both), { id: 'two', group: ids.connectionId })],
      });
    }

    const { events } = await readEvents(stack, ids.tenantId, undefined, 100);
    expect(events.map(({ type }) => type)).toEqual(['message.received', 'message.received', 'contact.merged']);
    expect(events.at(-1)?.data).toEqual({
      contact: { id: LID, phoneNumber: '+4915100000002', lid: LID },
      was: { id: PN, phoneNumber: '+4915100000002' },
    });
  });
});
