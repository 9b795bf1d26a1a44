/**
 * The brakes: what stops a connection from sending, or from writing to new people, because WhatsApp has said so
 * (docs/pacing.md, "Brakes"). The table and the functions are pure; times are milliseconds since 1970.
 */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a brake stops: messages to people with whom the account never talked, or all that it sends. */
export type Braked = 'firstContacts' | 'all';

interface BrakeRule {
  readonly stops: Braked;
  /**
   * How long it stays after the first refusal, the second, and so on, where WhatsApp names no end. Each refusal after an end
   * says that the rest was too short.
   */
  readonly restsMs: readonly [number, ...number[]];
  /** After so long without a refusal the rests begin anew. */
  readonly forgivenAfterMs: number;
}

/** WhatsApp documents no rest. A reported restriction lasts a day (Baileys, issue 2800), so the third rest does. */
export const brakeRules = {
  /** A refusal of a message (463, 475) that says that the account may not write to new people. */
  restricted: {
    stops: 'firstContacts',
    restsMs: [HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS],
    forgivenAfterMs: 7 * DAY_MS,
  },
  /** A time-lock, of which WhatsApp names the end. */
  time_locked: { stops: 'firstContacts', restsMs: [DAY_MS], forgivenAfterMs: 7 * DAY_MS },
  /** The number of new chats that WhatsApp allows in its cycle is used up; it names the end of the cycle. */
  capped: { stops: 'firstContacts', restsMs: [DAY_MS], forgivenAfterMs: 7 * DAY_MS },
  /** A refusal of a message with 429: too many in a short time. */
  too_fast: {
    stops: 'all',
    restsMs: [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS],
    forgivenAfterMs: DAY_MS,
  },
} as const satisfies Record<string, BrakeRule>;
export type BrakeCause = keyof typeof brakeRules;

/** The refusals in an ack that put a brake on, by WhatsApp's number. */
export const brakingRefusals: Readonly<Record<number, BrakeCause>> = {
  429: 'too_fast',
  463: 'restricted',
  475: 'restricted',
};

export interface Brake {
  readonly because: BrakeCause;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** The number of refusals that put it on in a row. */
  readonly refusals: number;
}
export type Brakes = Readonly<Partial<Record<Braked, Brake>>>;

/** What WhatsApp says of the account, asked or not. An end that it does not name is left out. */
export type AccountLimit =
  /** `asked`: the answer to a question after a refusal. One that there is no lock leaves a brake: the refusal had another cause. */
  | {
      readonly limit: 'time_lock';
      readonly isActive: boolean;
      readonly asked: boolean;
      readonly untilMs?: number | undefined;
    }
  | { readonly limit: 'chat_cap'; readonly isActive: boolean; readonly untilMs?: number | undefined };

/** The bounds of an end that WhatsApp names: it is a number from outside. */
const SHORTEST_NAMED_MS = MINUTE_MS;
const LONGEST_NAMED_MS = 30 * DAY_MS;

/** How long a brake still stops, in milliseconds; 0 for none. A clock that was set back makes it no longer than it was meant. */
export function brakedForMs(brake: Brake | undefined, nowMs: number): number {
  if (brake === undefined) return 0;
  return Math.max(0, Math.min(brake.untilMs - nowMs, brake.untilMs - brake.sinceMs));
}

/** The brakes after a refusal. While a brake is on, a further refusal of its kind changes nothing: nobody retried. */
export function afterRefusal(brakes: Brakes, because: BrakeCause, nowMs: number): Brakes {
  const { stops, restsMs, forgivenAfterMs } = brakeRules[because];
  const last = brakes[stops];
  if (last !== undefined && brakedForMs(last, nowMs) > 0) return brakes;
  const isForgiven = last === undefined || nowMs - last.untilMs > forgivenAfterMs;
  const refusals = isForgiven ? 1 : last.refusals + 1;
  const restMs = restsMs[Math.min(refusals, restsMs.length) - 1] ?? restsMs[0];
  return { ...brakes, [stops]: { because, sinceMs: nowMs, untilMs: nowMs + restMs, refusals } };
}

/** The brakes after a word of WhatsApp about the account. Its end counts before ours; of two causes the longer one does. */
export function afterLimit(brakes: Brakes, told: AccountLimit, nowMs: number): Brakes {
  const because = told.limit === 'time_lock' ? 'time_locked' : 'capped';
  const last = brakes.firstContacts;
  if (told.isActive) {
    const namedMs = (told.untilMs ?? nowMs + brakeRules[because].restsMs[0]) - nowMs;
    const isTime = Number.isFinite(namedMs);
    const restMs = Math.min(LONGEST_NAMED_MS, Math.max(SHORTEST_NAMED_MS, isTime ? namedMs : 0));
    // A named end takes the place of one that a refusal had from us.
    const isOther = last !== undefined && last.because !== because && last.because !== 'restricted';
    if (isOther && brakedForMs(last, nowMs) > restMs) return brakes;
    const refusals = last?.refusals ?? 1;
    return { ...brakes, firstContacts: { because, sinceMs: nowMs, untilMs: nowMs + restMs, refusals } };
  }
  if (last === undefined || brakedForMs(last, nowMs) === 0) return brakes;
  const lifts =
    told.limit === 'time_lock'
      ? last.because === 'time_locked' || (last.because === 'restricted' && !told.asked)
      : last.because === 'capped';
  // The refusals stay, so that the next one rests for longer.
  return lifts ? { ...brakes, firstContacts: { ...last, untilMs: nowMs } } : brakes;
}
