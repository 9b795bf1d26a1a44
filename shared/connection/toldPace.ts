import { waitCodes, type PaceWait, type WaitCode } from './paceWait.ts';

/**
 * What a tenant was told last of why its messages wait, kept with the pace on the record. It is compared with what holds, so
 * whoever owns the connection next tells what an owner that died has not; and it is written before it is told, so a change
 * that was told has always been one on the record, and comes again under its own key where nobody knows whether it was told.
 * The functions are pure.
 */
export interface ToldPace {
  /** Grows with each change that is told. */
  readonly number: number;
  readonly atMs: number;
  /** Why messages wait, and until when; left out where none waits any more. */
  readonly wait?: PaceWait;
  /** Whether it may not have been told yet. */
  readonly isPending?: true;
}

/** An end that moves by less, in milliseconds or as a part of the rest, is no news: WhatsApp names ends to the second. */
const LEAST_MOVE_MS = 60_000;
const LEAST_PART = 0.1;

export interface PaceNow {
  readonly wait: PaceWait | undefined;
  /** Whether a good part of the budget of first contacts is free. */
  readonly hasRoom: boolean;
}

/**
 * What is to be told next; undefined where nothing has changed. A budget of first contacts that is used up gets room for one
 * with each hour, which is taken at once: it is told once, and over only when a good part is free.
 */
export function nextTold(last: ToldPace | undefined, { wait, hasRoom }: PaceNow, nowMs: number): ToldPace | undefined {
  const told = last?.wait;
  if (wait === undefined) {
    const isOver = told !== undefined && (told.code !== 'first_contacts_used_up' || hasRoom);
    return isOver ? toNext(last, nowMs) : undefined;
  }
  if (told?.code !== wait.code) return { ...toNext(last, nowMs), wait };
  return wait.code !== 'first_contacts_used_up' && hasMoved(told, wait, nowMs)
    ? { ...toNext(last, nowMs), wait }
    : undefined;
}

/** It in a row; undefined where there is none, or where it is damaged. Never throws. */
export function readToldPace(stored: unknown): ToldPace | undefined {
  if (!isTree(stored) || !isNumber(stored['number']) || !isNumber(stored['atMs'])) return undefined;
  const { number, atMs, wait, isPending } = stored;
  const read = isTree(wait) && isNumber(wait['untilMs']) && waitCodes.includes(wait['code'] as WaitCode);
  return {
    number,
    atMs,
    ...(read ? { wait: { code: wait['code'] as WaitCode, untilMs: wait['untilMs'] as number } } : {}),
    ...(isPending === true ? { isPending } : {}),
  };
}

function toNext(last: ToldPace | undefined, nowMs: number): ToldPace {
  return { number: (last?.number ?? 0) + 1, atMs: nowMs, isPending: true };
}

function hasMoved(told: PaceWait, wait: PaceWait, nowMs: number): boolean {
  const restMs = Math.max(told.untilMs, wait.untilMs) - nowMs;
  return Math.abs(wait.untilMs - told.untilMs) > Math.max(LEAST_MOVE_MS, restMs * LEAST_PART);
}

type Tree = { readonly [name: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
