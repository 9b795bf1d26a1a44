import type { WatchdogRules } from '../../shared/platform/watchdogConfig.ts';

/**
 * The actions of the watchdog, from mild to hard. Each ladder is climbed from its first rung whenever the fault is new.
 */
export const rungs = ['restart', 'hand_off', 'drain', 'confirm_death', 'stop_task'] as const;
export type Rung = (typeof rungs)[number];

/**
 * `connection`: a connection that looks bad in its worker's digest. `mute`: a worker whose lease lives and whose digest
 * does not change. `silent`: a worker whose heartbeat does not change.
 */
export const ladderNames = ['connection', 'mute', 'silent'] as const;
export type LadderName = (typeof ladderNames)[number];

/** The rungs of each ladder, with the last attempt that each is for (docs/lifecycle.md, "Watchdog"). */
export const ladders: Readonly<Record<LadderName, readonly (readonly [upToAttempt: number, rung: Rung])[]>> = {
  connection: [
    [2, 'restart'],
    [5, 'hand_off'],
    [Infinity, 'stop_task'],
  ],
  mute: [
    [1, 'drain'],
    [Infinity, 'stop_task'],
  ],
  silent: [[Infinity, 'confirm_death']],
};

/** The rung of an attempt; the first attempt is 1. */
export function rungOf(ladder: LadderName, attempt: number): Rung {
  const found = ladders[ladder].find(([upToAttempt]) => attempt <= upToAttempt);
  if (found === undefined) throw new Error(`the ladder ${ladder} has no rung for attempt ${attempt}`);
  return found[1];
}

/**
 * The longest rest, in milliseconds, where the doubling stops: a subject that gets a step once a day is not forgotten.
 */
const LONGEST_REST_MS = 86_400_000;
const FIRST_STOP = 6;

/**
 * How long the last attempt has to show its effect before the next one, in milliseconds. An account that stays bad on
 * one worker after another is itself the cause: each further stop of a task for its sake waits twice as long.
 */
export function restMs(ladder: LadderName, attempt: number, rules: WatchdogRules): number {
  const rung = rungOf(ladder, attempt);
  if (rung === 'restart' || rung === 'confirm_death') return rules.restartRestMs;
  if (rung === 'hand_off') return rules.handOffRestMs;
  if (ladder !== 'connection') return rules.stopRestMs;
  return Math.min(rules.stopEveryMs * 2 ** (attempt - FIRST_STOP), LONGEST_REST_MS);
}
