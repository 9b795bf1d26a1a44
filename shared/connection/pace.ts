import { brakedForMs, brakeRules, type Brake, type BrakeCause, type Brakes } from './brakes.ts';
import {
  nextFirstContactAtMs,
  plannedFirstContacts,
  usedFirstContacts,
  type FirstContactHours,
} from './firstContacts.ts';
import type { AppliedSettingValues } from './settings.ts';

/**
 * What a connection keeps of its pace on its record: it outlives restarts and moves, and says to everybody why messages wait
 * (docs/pacing.md).
 */
export interface Pace {
  /** The account that it is the pace of, as a phone-number address. Another one begins anew. */
  readonly account: string;
  /** Since when that account is linked to the connection, in milliseconds since 1970. A new link of the same one changes nothing. */
  readonly linkedAtMs: number;
  readonly hours: FirstContactHours;
  readonly brakes: Brakes;
}

/** The settings of the pace, with their defaults. */
export type PaceSettings = AppliedSettingValues['pace'];

interface WaitRule {
  readonly state: 'first_contacts_wait' | 'all_wait';
  readonly sentence: string;
}

/** Why messages wait because of their pace: a stable code and one sentence for a tenant. */
export const waitRules = {
  first_contacts_restricted: {
    state: 'first_contacts_wait',
    sentence:
      'WhatsApp refused a message to a new contact (463, 475). No message to a person with whom this account never talked leaves until the end of the rest; existing chats go on.',
  },
  first_contacts_time_locked: {
    state: 'first_contacts_wait',
    sentence:
      'WhatsApp has locked this account against new chats until the time that it named. Messages to new contacts wait; existing chats go on.',
  },
  first_contacts_capped: {
    state: 'first_contacts_wait',
    sentence:
      'The new chats that WhatsApp allows this account in its present cycle are used up. Messages to new contacts wait; existing chats go on.',
  },
  first_contacts_used_up: {
    state: 'first_contacts_wait',
    sentence:
      'This connection has written to as many new contacts as its pace allows in 24 hours. Messages to more of them wait; existing chats go on.',
  },
  sends_too_fast: {
    state: 'all_wait',
    sentence:
      'WhatsApp refused a message because this account wrote too fast (429). All messages wait in their order until the end of the rest.',
  },
} as const satisfies Record<string, WaitRule>;
export type WaitCode = keyof typeof waitRules;
export const waitCodes = Object.keys(waitRules) as [WaitCode, ...WaitCode[]];
export const waitStates = ['first_contacts_wait', 'all_wait'] as const;

const codeOfBrake: Readonly<Record<BrakeCause, WaitCode>> = {
  restricted: 'first_contacts_restricted',
  time_locked: 'first_contacts_time_locked',
  capped: 'first_contacts_capped',
  too_fast: 'sends_too_fast',
};

export interface PaceWait {
  readonly code: WaitCode;
  readonly untilMs: number;
}

/** The first contacts that are allowed in any 24 hours; undefined where the settings take the budgets away. */
export function firstContactLimit(
  { linkedAtMs }: Pick<Pace, 'linkedAtMs'>,
  { budgets, firstContactsPerDay }: PaceSettings,
  nowMs: number,
): number | undefined {
  if (budgets === 'off') return undefined;
  return firstContactsPerDay ?? plannedFirstContacts(linkedAtMs, nowMs);
}

/** Why and until when all messages wait; undefined when they go. The function is pure. */
export function allWait({ brakes }: Pick<Pace, 'brakes'>, nowMs: number): PaceWait | undefined {
  return waitOf(brakes.all, nowMs);
}

/** Why and until when messages to new contacts wait; undefined when they go. The function is pure. */
export function firstContactWait(pace: Pace, settings: PaceSettings, nowMs: number): PaceWait | undefined {
  const braked = waitOf(pace.brakes.firstContacts, nowMs);
  if (braked !== undefined) return braked;
  const limit = firstContactLimit(pace, settings, nowMs);
  if (limit === undefined) return undefined;
  const untilMs = nextFirstContactAtMs(pace.hours, limit, nowMs);
  return untilMs > nowMs ? { code: 'first_contacts_used_up', untilMs } : undefined;
}

/** What anybody is shown of the pace: the budget of first contacts, and why messages wait if some do. */
export function shownPace(pace: Pace, settings: PaceSettings, nowMs: number) {
  return {
    used: usedFirstContacts(pace.hours, nowMs),
    limit: firstContactLimit(pace, settings, nowMs),
    wait: allWait(pace, nowMs) ?? firstContactWait(pace, settings, nowMs),
  };
}

/** The pace of an account that has sent nothing yet. */
export function newPace(account: string, nowMs: number): Pace {
  return { account, linkedAtMs: nowMs, hours: {}, brakes: {} };
}

/** The pace in a row; undefined where there is none. A part that is damaged counts as left out. Never throws. */
export function readPace(stored: unknown): Pace | undefined {
  if (!isTree(stored)) return undefined;
  const { account, linkedAtMs, hours, brakes } = stored;
  if (typeof account !== 'string' || typeof linkedAtMs !== 'number') return undefined;
  const counted = isTree(hours)
    ? Object.entries(hours).filter(([hour, count]) => /^\d+$/.test(hour) && isCount(count))
    : [];
  const read = (['firstContacts', 'all'] as const).flatMap((stops) => {
    const brake = isTree(brakes) ? brakes[stops] : undefined;
    return isBrake(brake) && brakeRules[brake.because].stops === stops ? [[stops, brake] as const] : [];
  });
  return {
    account,
    linkedAtMs,
    hours: Object.fromEntries(counted) as FirstContactHours,
    brakes: Object.fromEntries(read),
  };
}

function waitOf(brake: Brake | undefined, nowMs: number): PaceWait | undefined {
  const forMs = brakedForMs(brake, nowMs);
  return brake === undefined || forMs === 0 ? undefined : { code: codeOfBrake[brake.because], untilMs: nowMs + forMs };
}

type Tree = { readonly [name: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0;

function isBrake(value: unknown): value is Brake {
  return (
    isTree(value) &&
    Object.hasOwn(brakeRules, String(value['because'])) &&
    ['sinceMs', 'untilMs', 'refusals'].every((name) => typeof value[name] === 'number')
  );
}
