import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contact } from '../../../shared/contact/contact.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { startQueueStack, type QueueStack } from '../../functions/queueStack.ts';
import { ContactWorld } from './contactWorld.ts';
import { fixtures, type Person } from './identityFixtures.ts';

describe('a person, whatever addresses their stanzas use', () => {
  let stack: QueueStack;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());

  it.each(fixtures)('is one contact: $what', async ({ comes, people, merged = [], leads = [] }) => {
    const world = new ContactWorld(stack);

    for (const facts of comes) await world.note(...('kind' in facts ? [facts] : facts));

    expect((await world.all()).map(shown)).toEqual(people.map(sorted).toSorted(byId));
    expect(world.published.flatMap((fact) => (fact.kind === 'contact_merged' ? [fact.was] : []))).toEqual(merged);
    const [first] = people;
    for (const address of [...leads, ...merged]) {
      expect([address, (await world.find(address))?.id]).toEqual([address, first?.id]);
    }
  });

  it('has one chat, by whichever of their addresses a message names it', async () => {
    for (const { comes, people } of fixtures) {
      if (people.length !== 1) continue;
      const world = new ContactWorld(stack);
      const facts: readonly Fact[] = comes.flat();

      await world.note(...facts);

      const chats = facts.flatMap((fact) => (fact.kind === 'message' && fact.chat === fact.sender ? [fact.chat] : []));
      const found = await Promise.all(chats.map((chat) => world.find(chat)));
      for (const contact of found) expect(contact).toMatchObject({ id: people[0]?.id });
    }
  });

  it('are thirty cases and more', () => {
    expect(fixtures.length).toBeGreaterThanOrEqual(30);
  });
});

const KEPT = ['id', 'number', 'push', 'username', 'saved', 'blocked', 'pictureId'] as const;

function shown(contact: Contact): Person {
  return sorted(contact);
}

function sorted(person: Person): Person {
  return Object.fromEntries(KEPT.flatMap((name) => (person[name] === undefined ? [] : [[name, person[name]]])));
}

function byId(one: Person, other: Person): number {
  return (one.id ?? '') < (other.id ?? '') ? -1 : 1;
}
