/** When a process ends, seen from a call through a port: the effect has not happened, or it has and nobody learned of it. */
export const moments = ['before', 'after'] as const;
export type Moment = (typeof moments)[number];

/** The call at which a process ends: the n-th of its name since the watch was armed, written `name#n`. */
export interface FaultPlan {
  readonly call: string;
  readonly when: Moment;
}

/** Counts the calls of one process through its ports, and ends the process at the call that the plan names. */
export class PortWatch {
  readonly #die: () => never;
  readonly #counts = new Map<string, number>();
  #calls: string[] = [];
  #armed = false;
  #plan: FaultPlan | undefined;

  /** @param die ends the process at once; nothing of it runs after that */
  constructor(die: () => never) {
    this.#die = die;
  }

  /** Counts from here on. Without a plan the process lives, and what it calls is recorded. */
  arm(plan: FaultPlan | undefined): void {
    this.#counts.clear();
    this.#calls = [];
    this.#plan = plan;
    this.#armed = true;
  }

  /** Counts no more. Returns the calls since it was armed, in the order in which they began. */
  disarm(): readonly string[] {
    this.#armed = false;
    return this.#calls;
  }

  /** A call begins. Returns what `end` wants to know of it. */
  begin(name: string): string | undefined {
    if (!this.#armed) return undefined;
    const place = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, place);
    const call = `${name}#${place}`;
    this.#calls.push(call);
    this.#dieAt(call, 'before');
    return call;
  }

  /** A call has had its effect; its caller is about to learn of it. */
  end(call: string | undefined): void {
    if (call !== undefined && this.#armed) this.#dieAt(call, 'after');
  }

  /** Watches one call. A call that fails ends as well. */
  async watch<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    const call = this.begin(name);
    try {
      return await run();
    } finally {
      this.end(call);
    }
  }

  #dieAt(call: string, when: Moment): void {
    if (this.#plan?.call === call && this.#plan.when === when) this.#die();
  }
}

/** The class of a call: its name without its place. */
export function classOf(call: string): string {
  return call.slice(0, call.lastIndexOf('#'));
}
