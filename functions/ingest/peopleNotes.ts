import { LRUCache } from 'lru-cache';
import type { ContactStore } from '../../shared/contact/contactStore.ts';
import { toNewsFact } from '../../shared/contact/newsFact.ts';
import { planSighting, type KnownRows, type SightingPlan } from '../../shared/contact/planSighting.ts';
import { sightingOf, sightingsIn, together, type Sighting } from '../../shared/contact/sighting.ts';
import type { TenantEvent } from '../../shared/event/event.ts';
import { publishFact, type FactQueue } from '../../shared/event/publishFact.ts';
import type { FactInHand, FactSource } from '../../shared/event/recording/factInHand.ts';
import type { LoggedEvent } from '../../shared/event/recording/loggedEvent.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { toPhoneJid } from '../../shared/kernel/jid.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface PeopleNotesParts extends FactQueue, Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly contacts: Pick<ContactStore, 'readFor' | 'admit' | 'write'>;
}

/** What was recorded of one connection. */
export interface RecordedOfConnection {
  readonly source: FactSource;
  readonly facts: readonly Pick<FactInHand, 'fact'>[];
  readonly events: readonly LoggedEvent[];
}

/** The number of people whom a process remembers as noted, and for how long in milliseconds: until then their rows are not read. */
const REMEMBERED = 20_000;
const REMEMBERED_MS = 3_600_000;
/** The number of people of a connection who are noted at once. */
const AT_ONCE = 16;

/**
 * Notes the people whom facts show, when the facts are recorded: who is new gets a row, and what has changed of somebody is
 * written and told. Who is as before costs nothing while a process remembers them, and one read an hour.
 *
 * Nothing waits for a note, and none is ever in the way of a message: one that fails is left, and the person's next message makes it
 * again, since the row then still says what it said. What is told is published before the row is written, under a key that
 * the row decides: whoever dies in between publishes the same fact again.
 */
export class PeopleNotes {
  readonly #parts: PeopleNotesParts;
  readonly #noted = new LRUCache<string, { readonly seen: string; readonly untilMs: number }>({ max: REMEMBERED });

  constructor(parts: PeopleNotesParts) {
    this.#parts = parts;
  }

  /** Notes the people in what was recorded of some connections, as far as there is time for it. Never rejects. */
  async note(recorded: readonly RecordedOfConnection[]): Promise<void> {
    const { logger } = this.#parts;
    try {
      const noteAll = () => Promise.all(recorded.map((one) => this.#noteOf(one)));
      await withDeadline('noting people', deadlines.peopleNotes.ms, noteAll);
    } catch (error) {
      logger.warn('people are not noted in time', { error });
    }
  }

  async #noteOf({ source, facts, events }: RecordedOfConnection): Promise<void> {
    const { clock, logger, metrics, contacts } = this.#parts;
    const { tenantId, connectionId } = source;
    try {
      const toSelf = new Set(
        facts.flatMap(({ fact }) => (fact.kind === 'send_result' && fact.toSelf ? [fact.messageId] : [])),
      );
      const shown = [
        ...facts.flatMap(({ fact }) => sightingsIn(fact)),
        ...events.flatMap((event) => recipientsIn(event, toSelf)),
      ];
      const sightings = together(shown).filter((one) => !this.#isNoted(source, one));
      if (sightings.length === 0) return;
      const rows = await contacts.readFor(connectionId, sightings);
      const nowMs = clock.nowMs();
      const plans = sightings.map((sighting) => ({ sighting, plan: planSighting(sighting, rows, nowMs) }));
      const isNew = ({ plan }: (typeof plans)[number]): boolean => plan.own?.write === 'make' && !isMerge(plan);
      const made = plans.filter(isNew).length;
      const isFull = made > 0 && (await contacts.admit(connectionId, made, nowMs)) === 'too_many';
      if (isFull) metrics.count('ContactsNotKept', {}, made);
      const kept = isFull ? plans.filter((one) => !isNew(one)) : plans;
      for (let from = 0; from < kept.length; from += AT_ONCE) {
        await Promise.all(
          kept.slice(from, from + AT_ONCE).map(({ sighting, plan }) => this.#carryOut(source, rows, sighting, plan)),
        );
      }
    } catch (error) {
      logger.warn('people are not noted, and are when they write again', { tenantId, connectionId, error });
    }
  }

  async #carryOut(source: FactSource, rows: KnownRows, sighting: Sighting, plan: SightingPlan): Promise<void> {
    const { contacts, clock } = this.#parts;
    const { connectionId } = source;
    const nowMs = clock.nowMs();
    for (const news of plan.news) await publishFact(this.#parts, source, toNewsFact(news, rows, nowMs));
    // Somebody else has changed the row: the next sighting of the person is judged by what it says then.
    if (plan.own !== undefined && !(await contacts.write(connectionId, plan.own, nowMs))) return;
    for (const write of plan.others) await contacts.write(connectionId, write, nowMs);
    // A name that is left for later is looked at again with the next message.
    if (plan.rests) return;
    this.#noted.set(nameOf(source, sighting), { seen: seenIn(sighting), untilMs: clock.monotonicMs() + REMEMBERED_MS });
  }

  #isNoted(source: FactSource, sighting: Sighting): boolean {
    const noted = this.#noted.get(nameOf(source, sighting));
    return noted !== undefined && noted.seen === seenIn(sighting) && this.#parts.clock.monotonicMs() < noted.untilMs;
  }
}

const isMerge = ({ news }: SightingPlan): boolean => news.some((one) => one.news === 'merged');

function nameOf({ connectionId }: FactSource, { lid = '', number = '' }: Sighting): string {
  return `${connectionId} ${lid} ${number}`;
}

/** What a sighting shows, to compare by. */
function seenIn({ push, username, saved, blocked, pictureId }: Sighting): string {
  return JSON.stringify([push, username, saved, blocked, pictureId]);
}

/** The person to whom a message of the tenant went, as its event names them, unless the account wrote to itself. Other events are not taken apart. */
function recipientsIn({ type, text }: LoggedEvent, toSelf: ReadonlySet<string>): readonly Sighting[] {
  if (type !== 'message.status' || !text.includes('"status":"sent"')) return [];
  const event = JSON.parse(text) as TenantEvent;
  if (event.type !== 'message.status' || event.data.chat !== undefined || toSelf.has(event.data.messageId)) return [];
  const { phoneNumber, lid } = event.data.recipient;
  const found = sightingOf([lid, phoneNumber === undefined ? undefined : toPhoneJid(phoneNumber.slice(1))]);
  return found === undefined ? [] : [found];
}
