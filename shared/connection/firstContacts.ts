/**
 * How many people a connection may write to for the first time (docs/pacing.md, "First contacts"). A first contact is a
 * message to a person with whom the account has never talked. Each is counted in the hour in which it left, so that a restart
 * or a move of the connection gives nothing back. The functions are pure.
 */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Whole hours are counted, so the hour in which a day begins counts to its end: together they cover any 24 hours. */
const HOURS_COUNTED = 25;

/**
 * The plan: so many first contacts in any 24 hours, from this age of the link on. WhatsApp publishes no number. Accounts
 * were restricted for a day after 30 to 40 new chats in one (Baileys, issue 2800), so a young link stays below that.
 */
export const warmUpPlan = [
  { fromDays: 0, firstContacts: 20 },
  { fromDays: 3, firstContacts: 30 },
  { fromDays: 7, firstContacts: 50 },
  { fromDays: 14, firstContacts: 100 },
  { fromDays: 30, firstContacts: 200 },
] as const;

/** The number of first contacts by the hour in which they left, in hours since 1970. */
export type FirstContactHours = Readonly<Record<string, number>>;

/** The first contacts that the plan allows in any 24 hours. A link from the future, by a clock that was set back, is new. */
export function plannedFirstContacts(linkedAtMs: number, nowMs: number): number {
  const days = Math.max(0, nowMs - linkedAtMs) / DAY_MS;
  return warmUpPlan.findLast(({ fromDays }) => days >= fromDays)?.firstContacts ?? warmUpPlan[0].firstContacts;
}

/** The number of first contacts in the last 24 hours, with what the hour in which those begin had before. */
export function usedFirstContacts(hours: FirstContactHours, nowMs: number): number {
  return countedIn(hours, nowMs).reduce((sum, [, count]) => sum + count, 0);
}

/** The hours after one more first contact; those that count no more are left out. */
export function withFirstContact(hours: FirstContactHours, nowMs: number): FirstContactHours {
  const counted = new Map<number, number>([[hourOf(nowMs), 1]]);
  for (const [hour, count] of countedIn(hours, nowMs)) counted.set(hour, (counted.get(hour) ?? 0) + count);
  return Object.fromEntries(counted);
}

/** When the next first contact may leave, in milliseconds since 1970: `nowMs` where it may leave now. */
export function nextFirstContactAtMs(hours: FirstContactHours, limit: number, nowMs: number): number {
  if (limit <= 0) return nowMs + DAY_MS;
  let left = usedFirstContacts(hours, nowMs);
  if (left < limit) return nowMs;
  for (const [hour, count] of countedIn(hours, nowMs)) {
    left -= count;
    if (left < limit) return (hour + HOURS_COUNTED) * HOUR_MS;
  }
  return nowMs + DAY_MS;
}

/**
 * The hours that count, oldest first. What left in the future, by a clock that was set back since, counts as if it had left
 * now: it must neither be forgotten nor count for ever.
 */
function countedIn(hours: FirstContactHours, nowMs: number): readonly (readonly [hour: number, count: number])[] {
  const now = hourOf(nowMs);
  return Object.entries(hours)
    .map(([hour, count]) => [Math.min(Number(hour), now), count] as const)
    .filter(([hour]) => hour > now - HOURS_COUNTED)
    .toSorted(([left], [right]) => left - right);
}

const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);
