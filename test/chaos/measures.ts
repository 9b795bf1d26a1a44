import type { LoginSpan } from '../whatsapp/stats.ts';

/**
 * What a case came to, computed from what the WhatsApp simulator and the tenant saw. Pure. An account is named by its
 * number; times are milliseconds of the clock on the wall, which all processes of a run share.
 */

/** A message that the API accepted. Those of one account are in the order of their acceptance. */
export interface Send {
  readonly account: string;
  readonly text: string;
  readonly acceptedAtMs: number;
}

/** A message that a customer's phone wrote to an account, in the order of writing. */
export interface Write {
  readonly account: string;
  readonly text: string;
}

/** A message of an account as a customer's phone shows it, in the order of showing. A phone shows an id once. */
export interface Shown {
  readonly account: string;
  readonly text: string;
  readonly atMs: number;
}

/** An event `message.received` in the order of the tenant's log, which has each event once. */
export interface Told {
  readonly account: string;
  readonly text: string;
  /** It came by webhook too. */
  readonly isDelivered: boolean;
}

/** What the simulator counts by itself. */
export interface Counts {
  readonly overlap: number;
  readonly resent: number;
  readonly undecryptable: number;
  readonly retryRequests: number;
}

export interface Observed {
  readonly faultAtMs: number;
  /** When the fault was over: nothing was kept from working any more. */
  readonly overAtMs: number;
  readonly sends: readonly Send[];
  readonly writes: readonly Write[];
  readonly shown: readonly Shown[];
  readonly told: readonly Told[];
  /** All logins of each account, oldest first. */
  readonly spans: Readonly<Record<string, readonly LoginSpan[]>>;
  /** Times of logins that replaced a live socket, per account. */
  readonly conflicts: Readonly<Record<string, readonly number[]>>;
  readonly counts: Counts;
  readonly deadLetters: number;
  /** When a worker tried to reach WhatsApp, since the fault. */
  readonly attempts: readonly number[];
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Measures extends Counts {
  readonly replaced: number;
  readonly replacedPerConnection: number;
  readonly accepted: number;
  readonly lostOut: number;
  /** Commands that a phone showed under more than one id. */
  readonly duplicates: number;
  readonly outOfOrderOut: number;
  readonly written: number;
  readonly lostIn: number;
  /** Messages of phones that became more than one event. */
  readonly repeatsIn: number;
  readonly outOfOrderIn: number;
  /** Connections that logged in again after the fault. */
  readonly reconnected: number;
  /** Connections that are not open at the end. */
  readonly closed: number;
  /** Most logins of the fleet in any second after the fault. */
  readonly loginsPerSecond: number;
  /** Most attempts of the fleet to reach WhatsApp in any second after the fault. */
  readonly opensPerSecond: number;
  /** The times from each loss of a socket to the next login of the same connection. */
  readonly gapMs: Spread;
  /** The times from the fault to the last login of each connection that had to log in. */
  readonly openMs: Spread;
  /** The time from the end of the fault to the last login of all; 0 if all were open by then. */
  readonly backMs: number;
  /** Until a phone shows the first message after that login: from the login, or from the acceptance if that was later. */
  readonly firstSendMs: Spread;
  /** Connections whose first send is not known: none was shown after the login. */
  readonly unsent: number;
  readonly deadLetters: number;
}

export function measure(observed: Observed): Measures {
  const { faultAtMs, overAtMs, sends, writes, shown, told, spans, conflicts, counts, deadLetters, attempts } = observed;
  const reopened = reopenings(spans, faultAtMs);
  const logins = Object.values(spans).flatMap((list) => list.map(({ openedAt }) => openedAt));
  const replaced = Object.values(conflicts).map((times) => times.filter((atMs) => atMs >= faultAtMs).length);
  const firstSends = reopened.map((reopening) => firstSendMs(reopening, sends, shown));
  const delivered = told.filter(({ isDelivered }) => isDelivered);
  return {
    ...counts,
    replaced: replaced.reduce((sum, count) => sum + count, 0),
    replacedPerConnection: Math.max(0, ...replaced),
    accepted: sends.length,
    lostOut: countMissing(sends, shown),
    duplicates: countRepeats(shown),
    outOfOrderOut: countLate(sends, shown),
    written: writes.length,
    lostIn: countMissing(writes, delivered),
    repeatsIn: countRepeats(told),
    outOfOrderIn: countLate(writes, told),
    reconnected: reopened.length,
    closed: Object.values(spans).filter((list) => list.at(-1)?.closedAt !== undefined).length,
    loginsPerSecond: mostPerSecond(logins.filter((atMs) => atMs >= faultAtMs)),
    opensPerSecond: mostPerSecond(attempts),
    gapMs: spreadOf(Object.values(spans).flatMap((list) => gapsOf(list, faultAtMs))),
    openMs: spreadOf(reopened.map(({ openedAtMs }) => openedAtMs - faultAtMs)),
    backMs: Math.max(0, ...reopened.map(({ openedAtMs }) => openedAtMs - overAtMs)),
    firstSendMs: spreadOf(firstSends.filter((ms) => ms !== undefined)),
    unsent: firstSends.filter((ms) => ms === undefined).length,
    deadLetters,
  };
}

interface Named {
  readonly account: string;
  readonly text: string;
}

interface Reopening {
  readonly account: string;
  readonly openedAtMs: number;
}

/** The last login of each account that logged in after the fault. */
function reopenings(spans: Observed['spans'], faultAtMs: number): readonly Reopening[] {
  return Object.entries(spans).flatMap(([account, list]) => {
    const openedAtMs = list.at(-1)?.openedAt ?? 0;
    return openedAtMs >= faultAtMs ? [{ account, openedAtMs }] : [];
  });
}

/** A login that replaces a live socket leaves no gap: the older socket closes after it. */
function gapsOf(list: readonly LoginSpan[], faultAtMs: number): readonly number[] {
  return list.flatMap(({ openedAt }, index) => {
    const closedAt = list[index - 1]?.closedAt;
    return openedAt < faultAtMs || closedAt === undefined ? [] : [Math.max(0, openedAt - closedAt)];
  });
}

function firstSendMs({ account, openedAtMs }: Reopening, sends: readonly Send[], shown: readonly Shown[]) {
  const first = shown.find((message) => message.account === account && message.atMs >= openedAtMs);
  if (first === undefined) return undefined;
  const acceptedAtMs = sends.find(({ text }) => text === first.text)?.acceptedAtMs ?? openedAtMs;
  // A phone may show it before the API's answer has arrived.
  return Math.max(0, first.atMs - Math.max(openedAtMs, acceptedAtMs));
}

function countMissing(expected: readonly Named[], seen: readonly Named[]): number {
  const texts = new Set(seen.map(({ text }) => text));
  return expected.filter(({ text }) => !texts.has(text)).length;
}

function countRepeats(seen: readonly Named[]): number {
  return seen.length - new Set(seen.map(({ text }) => text)).size;
}

/** How many were seen after one of the same account that was expected later. Repetitions count elsewhere. */
function countLate(expected: readonly Named[], seen: readonly Named[]): number {
  const places = new Map(expected.map(({ text }, place) => [text, place]));
  const furthest = new Map<string, number>();
  let late = 0;
  for (const { account, text } of seen) {
    const place = places.get(text);
    if (place === undefined) continue;
    places.delete(text);
    if (place < (furthest.get(account) ?? -1)) late += 1;
    else furthest.set(account, place);
  }
  return late;
}

function mostPerSecond(times: readonly number[]): number {
  const sorted = [...times].sort((left, right) => left - right);
  let first = 0;
  let most = 0;
  for (const [last, atMs] of sorted.entries()) {
    while (atMs - (sorted[first] ?? atMs) >= 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Percentiles by nearest rank; zeros if there is nothing. */
function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
