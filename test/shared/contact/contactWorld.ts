import { PeopleNotes } from '../../../functions/ingest/peopleNotes.ts';
import { ContactStore } from '../../../shared/contact/contactStore.ts';
import type { Contact } from '../../../shared/contact/contact.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { factSchema } from '../../../shared/event/facts/factRows.ts';
import type { QueueStack } from '../../functions/queueStack.ts';
import { aBatch, newIds } from '../event/eventStores.ts';

/** One connection whose facts are noted, with the facts that the notes published instead of a queue of them. */
export class ContactWorld {
  readonly ids = newIds();
  readonly published: Fact[] = [];
  readonly #stack: QueueStack;
  #batches = 0;

  constructor(stack: QueueStack) {
    this.#stack = stack;
  }

  get contacts(): ContactStore {
    return new ContactStore(this.#stack);
  }

  /** Notes facts as a process does that remembers nobody. What comes of it is noted as well, like any fact. */
  async note(...facts: readonly Fact[]): Promise<void> {
    const before = this.published.length;
    this.#batches += 1;
    const { events: _, ...source } = aBatch(this.ids, [], `batch-${this.#batches}`);
    const queue = {
      send: ({ input }: { readonly input: { readonly MessageBody?: string } }) => {
        const { events } = JSON.parse(input.MessageBody ?? '{}') as { readonly events: readonly unknown[] };
        for (const event of events) this.#publish(factSchema.parse(event));
        return Promise.resolve({});
      },
    } as unknown as QueueStack['queue'];
    const notes = new PeopleNotes({ ...this.#stack, queue, contacts: this.contacts });
    await notes.note([{ source, facts: facts.map((fact) => ({ fact })), events: [] }]);
    const told = this.published.slice(before);
    if (told.length > 0) await this.note(...told);
  }

  /** All people of the connection. */
  async all(): Promise<readonly Contact[]> {
    const page = { after: undefined, limit: 100, nowMs: this.#stack.clock.nowMs() };
    return (await this.contacts.list(this.ids.connectionId, page)).contacts;
  }

  find(address: string): Promise<Contact | undefined> {
    return this.contacts.find(this.ids.connectionId, address, this.#stack.clock.nowMs());
  }

  /** The queue takes a fact with the same key once. */
  #publish(fact: Fact): void {
    if (!this.published.some(({ key }) => key === fact.key)) this.published.push(fact);
  }
}
