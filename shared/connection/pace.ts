import { brakedForMs, brakeRules, type Brake, type BrakeCause, type Brakes } from './brakes.ts';
import {
  nextFirstContactAtMs,
  plannedFirstContacts,
  usedFirstContacts,
  type FirstContactHours,
} from './firstContacts.ts';
import type { PaceWait, WaitCode } from './paceWait.ts';
import type { AppliedSettingValues } from './settings.ts';
import { nextTold, readToldPace, type ToldPace } from './toldPace.ts';

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
  /** Whether the fleet takes the budgets away where the settings say nothing; left out where it keeps them. */
  readonly budgets?: 'off';
  /** What the tenant was told last of waiting; left out before anything was told. */
  readonly told?: ToldPace;
}

/** The settings of the pace, with their defaults. */
export type PaceSettings = AppliedSettingValues['pace'];

/** The part of the budget of first contacts that must be free before it is told that they wait no more. */
const ROOM_AGAIN = 0.25;

const codeOfBrake: Readonly<Record<BrakeCause, WaitCode>> = {
  restricted: 'first_contacts_restricted',
  time_locked: 'first_contacts_time_locked',
  capped: 'first_contacts_capped',
  too_fast: 'sends_too_fast',
};

/** The first contacts that are allowed in any 24 hours; undefined where the settings, or the fleet, take the budgets away. */
export function firstContactLimit(
  { linkedAtMs, budgets: ofFleet }: Pick<Pace, 'linkedAtMs' | 'budgets'>,
  { budgets = ofFleet, firstContactsPerDay }: PaceSettings,
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

/**
 * What the tenant is to be told next of waiting; undefined where nothing has changed. The function is pure.
 */
export function toTell(pace: Pace, settings: PaceSettings, nowMs: number): ToldPace | undefined {
  const { used, limit = Infinity, wait } = shownPace(pace, settings, nowMs);
  return nextTold(pace.told, { wait, hasRoom: limit - used >= Math.max(1, limit * ROOM_AGAIN) }, nowMs);
}

/** What anybody is shown of the pace: the budget of first contacts, and why messages wait if some do. */
export function shownPace(pace: Pace, settings: PaceSettings, nowMs: number) {
  return {
    used: usedFirstContacts(pace.hours, nowMs),
    limit: firstContactLimit(pace, settings, nowMs),
    wait: allWait(pace, nowMs) ?? firstContactWait(pace, settings, nowMs),
  };
}

/** The pace of an account that has sent nothing yet. What was told of the account before it stays told. */
export function newPace(account: string, nowMs: number, before?: Pace): Pace {
  return { account, linkedAtMs: nowMs, hours: {}, brakes: {}, ...(before?.told && { told: before.told }) };
}

/** The pace in a row; undefined where there is none. A part that is damaged counts as left out. Never throws. */
export function readPace(stored: unknown): Pace | undefined {
  if (!isTree(stored)) return undefined;
  const { account, linkedAtMs, hours, brakes, budgets } = stored;
  if (typeof account !== 'string' || typeof linkedAtMs !== 'number') return undefined;
  const counted = isTree(hours)
    ? Object.entries(hours).filter(([hour, count]) => /^\d+$/.test(hour) && isCount(count))
    : [];
  const read = (['firstContacts', 'all'] as const).flatMap((stops) => {
    const brake = isTree(brakes) ? brakes[stops] : undefined;
    return isBrake(brake) && brakeRules[brake.because].stops === stops ? [[stops, brake] as const] : [];
  });
  const told = readToldPace(stored['told']);
  return {
    account,
    linkedAtMs,
    hours: Object.fromEntries(counted) as FirstContactHours,
    brakes: Object.fromEntries(read),
    ...(budgets === 'off' ? { budgets } : {}),
    ...(told === undefined ? {} : { told }),
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
