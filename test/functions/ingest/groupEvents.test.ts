import { describe, expect, it } from 'vitest';
import { isWanted } from '../../../shared/event/eventFilter.ts';
import { eventSchema } from '../../../shared/event/event.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { withOtherNames } from '../../../worker/socket/wire/otherNames.ts';
import { aBatch, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';

const BOB = '4915100000002@s.whatsapp.net';
const BOB_LID = '222@lid';
const GROUP = '120363000000000001@g.us';
const NAMES = new Map([[BOB_LID, BOB]]);
const AT = 1_790_000_000_000;
const bob = { id: BOB_LID, phoneNumber: '+4915100000002', lid: BOB_LID };

describe('what happens in a group', () => {
  const room = eventRoom();
  const record = (fact: Fact) =>
    recordFacts(room.stores, aBatch(room.ids, [withOtherNames(fact, NAMES)], room.nextBatchId()));
  const told = async () => {
    const { events } = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    expect(events.map((event) => eventSchema.parse(event))).toEqual(events);
    return events;
  };
  const common = { atMs: AT, group: GROUP, by: BOB_LID } as const;

  it('is told with what has changed and by whom, once, also where its notice comes again', async () => {
    const fact = { kind: 'group_change', key: 'group:1', ...common, changes: { locked: true } } as const;
    await record(fact);
    await record(fact);

    expect(await told()).toMatchObject([
      { type: 'group.updated', data: { group: { id: GROUP }, by: bob, changes: { locked: true } } },
    ]);
  });

  it('is told with the people, and is an event about a group for who filters by kinds of chats', async () => {
    await record({
      kind: 'group_participants',
      key: 'group:2',
      ...common,
      change: 'added',
      via: 'invite',
      participants: [{ address: BOB_LID, alias: BOB }, { address: '333@lid' }],
    });

    const [event, ...others] = await told();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'group.participants',
      data: { change: 'added', via: 'invite', participants: [bob, { id: '333@lid', lid: '333@lid' }] },
    });
    const kinds = (...wanted: readonly ('groups' | 'people')[]) => ({ chatKind: new Set(wanted) });
    expect(event && [isWanted(event, kinds('groups')), isWanted(event, kinds('people'))]).toEqual([true, false]);
  });
});
