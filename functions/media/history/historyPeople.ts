import type { ContactStore } from '../../../shared/contact/contactStore.ts';
import { toNewsFact } from '../../../shared/contact/newsFact.ts';
import { planSighting } from '../../../shared/contact/planSighting.ts';
import { sightingOf, together, type Sighting } from '../../../shared/contact/sighting.ts';
import { publishFact, type FactQueue } from '../../../shared/event/publishFact.ts';
import type { RecordedNotice } from '../../../shared/history/historyNotice.ts';
import { isLid, isPerson, withoutDevice } from '../../../shared/kernel/jid.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import { scan, wireTypes } from '../../../shared/wire/protobufFields.ts';
import type { ChatFields, HistoryPart } from './readHistory.ts';

/** The most people, and the most chats, that one part of a history tells of. A phone keeps some thousand. */
const MOST_PEOPLE = 20_000;
const MOST_CHATS = 50_000;
/** The number of people whose rows are read together, and of those who are written at once. */
const BATCH = 30;
const AT_ONCE = 8;

/** The people whom a history tells of: names and addresses of people, and the chats in their order. */
export interface HistoryPeople {
  readonly sightings: readonly Sighting[];
  readonly chats: readonly ChatFields[];
  readonly otherNameOf: (address: string) => string | undefined;
}

/** Reads whom a history tells of. Addresses stand behind the chats in it, so that it is read once before any message is. */
export async function readPeople(
  parts: AsyncIterable<HistoryPart>,
  own: RecordedNotice['own'],
): Promise<HistoryPeople> {
  const chats: ChatFields[] = [];
  const sightings: Sighting[] = [];
  const others = new Map<string, string>();
  const pair = (one: string | undefined, other: string | undefined): void => {
    if (one === undefined || other === undefined || others.size >= 2 * MOST_PEOPLE) return;
    others.set(one, other);
    others.set(other, one);
  };
  const see = (addresses: readonly (string | undefined)[], seen: Parameters<typeof sightingOf>[1]): void => {
    if (addresses.some((address) => address === own.phoneJid || (address !== undefined && address === own.lid))) return;
    const sighting = sightings.length < MOST_PEOPLE ? sightingOf(addresses, seen) : undefined;
    if (sighting !== undefined) sightings.push(sighting);
  };
  pair(own.phoneJid, own.lid);
  for await (const part of parts) {
    if (part.part === 'chat_ends' && chats.length < MOST_CHATS) {
      const { id, name, lid, phoneJid } = part.fields;
      chats.push(part.fields);
      if (id === undefined || !isPerson(id)) continue;
      const [ofLid, ofNumber] = [
        [id, lid].find(isAnyLid),
        [id, phoneJid].find((one) => one !== undefined && !isLid(one)),
      ];
      pair(ofLid, ofNumber);
      see([ofLid, ofNumber], { saved: name || undefined });
    } else if (part.part === 'name') {
      const [id = '', name] = textsIn(part.bytes, 1, 2);
      see([withoutDevice(id)], { push: name || undefined });
    } else if (part.part === 'addresses') {
      const [phoneJid, lid] = textsIn(part.bytes, 1, 2).map((address) => address && withoutDevice(address));
      if (phoneJid === undefined || lid === undefined || !isPerson(phoneJid) || !isAnyLid(lid)) continue;
      pair(phoneJid, lid);
      see([lid, phoneJid], {});
    }
  }
  return { sightings, chats, otherNameOf: (address) => others.get(address) };
}

const isAnyLid = (address: string | undefined): address is string => address !== undefined && isLid(address);

export interface NotePeopleParts extends FactQueue, Pick<Surroundings, 'clock' | 'metrics'> {
  readonly contacts: Pick<ContactStore, 'readFor' | 'admit' | 'write'>;
}

/**
 * Notes the people of a history as those of messages are noted. Nobody is told of names that are years old; that two were one is told, since chats follow.
 */
export async function notePeople(
  parts: NotePeopleParts,
  notice: RecordedNotice,
  { sightings, otherNameOf }: HistoryPeople,
): Promise<void> {
  const { contacts, clock, metrics } = parts;
  const { connectionId } = notice;
  const all = together(
    sightings.map((sighting) => ({ ...sightingOf([sighting.lid && otherNameOf(sighting.lid)]), ...sighting })),
  );
  for (let from = 0; from < all.length; from += BATCH) {
    const some = all.slice(from, from + BATCH);
    const rows = await contacts.readFor(connectionId, some);
    const nowMs = clock.nowMs();
    const plans = some.map((sighting) => planSighting(sighting, rows, nowMs));
    const isNew = ({ own, news }: (typeof plans)[number]): boolean =>
      own?.write === 'make' && news.every((one) => one.news !== 'merged');
    const made = plans.filter(isNew).length;
    const isFull = made > 0 && (await contacts.admit(connectionId, made, nowMs)) === 'too_many';
    if (isFull) metrics.count('ContactsNotKept', {}, made);
    const kept = isFull ? plans.filter((plan) => !isNew(plan)) : plans;
    for (let at = 0; at < kept.length; at += AT_ONCE) {
      await Promise.all(
        kept.slice(at, at + AT_ONCE).map(async ({ own, others, news }) => {
          for (const one of news.filter((each) => each.news === 'merged')) {
            await publishFact(parts, notice, toNewsFact(one, rows, nowMs));
          }
          // Somebody else has changed the row: what it says then is newer than a history.
          if (own !== undefined && !(await contacts.write(connectionId, own, nowMs))) return;
          for (const write of others) await contacts.write(connectionId, write, nowMs);
        }),
      );
    }
  }
}

/** The texts of some fields of bytes, in the order of their numbers here. */
function textsIn(bytes: Uint8Array, ...numbers: readonly number[]): readonly (string | undefined)[] {
  const found = new Map<number, string>();
  scan(bytes, ({ number, wireType, bytes: value }) => {
    if (wireType === wireTypes.bytes) found.set(number, Buffer.from(value).toString());
  });
  return numbers.map((number) => found.get(number));
}
