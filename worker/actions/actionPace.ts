import { actionKinds, rowOf, type ActionKind } from '../../shared/action/actionKinds.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { Budgets } from '../socket/port/budgets.ts';

type PaceSurroundings = Pick<Surroundings, 'random'> & { readonly clock: Pick<Surroundings['clock'], 'monotonicMs'> };

interface Rest {
  readonly untilMs: number;
  readonly failures: number;
}

/**
 * The pauses. The first is short, as a limit may be over in seconds. The longest bounds how long an action waits in
 * vain.
 */
const REST = { firstMs: 5_000, capMs: 60_000 } as const;

/**
 * The pace of each kind of action on one connection: by its budget, and with a pause after WhatsApp limited it or did
 * not answer. Nothing is kept for a connection that has no actions.
 */
export class ActionPace {
  readonly #around: PaceSurroundings;
  /** The paces by kind. */
  #budgets: Partial<Record<ActionKind, Budgets>> = {};
  #rests: Partial<Record<ActionKind, Rest>> = {};

  constructor(around: PaceSurroundings) {
    this.#around = around;
  }

  /** How long an action of this kind has to wait, in milliseconds; 0 for now. */
  waitMs(kind: ActionKind): number {
    const restMs = (this.#rests[kind]?.untilMs ?? 0) - this.#around.clock.monotonicMs();
    return Math.max(0, restMs, this.#budgets[kind]?.waitMs(kind) ?? 0);
  }

  /** Takes an action of this kind from its budget. */
  take(kind: ActionKind): void {
    (this.#budgets[kind] ??= new Budgets(rowOf(kind).budget, this.#around.clock.monotonicMs)).take(kind);
  }

  /** Notes that an action was limited or not answered. */
  fail(kind: ActionKind): void {
    const failures = this.#rests[kind]?.failures ?? 0;
    const untilMs = this.#around.clock.monotonicMs() + backoffMs(REST, failures, this.#around.random.unit());
    this.#rests = { ...this.#rests, [kind]: { untilMs, failures: failures + 1 } };
  }

  /** Notes that WhatsApp answered. */
  pass(kind: ActionKind): void {
    if (this.#rests[kind] === undefined) return;
    const left = actionKinds.filter((other) => other !== kind).map((other) => [other, this.#rests[other]]);
    this.#rests = Object.fromEntries(left);
  }

  /** Ends all pauses after a new login: the trouble may be over. */
  reset(): void {
    this.#rests = {};
  }
}
