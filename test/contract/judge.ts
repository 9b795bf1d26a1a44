import type { RecordedCall } from './callRecorder.ts';
import type { Explanation } from './explanations.ts';
import { allows, nameOf, type Permission } from './permissions.ts';
import { neededPermissions } from './recordedCall.ts';

/** What the recorded calls say of the table of access. */
export interface Verdict {
  /** How often each permission was used, by its name. */
  readonly used: ReadonlyMap<string, number>;
  /** What was called without a permission, and how often. */
  readonly notAllowed: ReadonlyMap<string, number>;
  readonly explained: readonly (Explanation & { readonly permission: string })[];
  /** Allowed, never called, and without an explanation. */
  readonly unexplained: readonly string[];
  /** Explanations of what there is no permission for, or of what is said never to be called and was. */
  readonly wrongExplanations: readonly string[];
}

/** Counts calls while they happen: a run makes tens of thousands. */
export class Ledger {
  readonly #stage: string;
  readonly #permissions: readonly Permission[];
  readonly #used = new Map<string, number>();
  readonly #notAllowed = new Map<string, number>();
  #calls = 0;

  constructor(stage: string, permissions: readonly Permission[]) {
    this.#stage = stage;
    this.#permissions = permissions;
  }

  get calls(): number {
    return this.#calls;
  }

  add({ caller, target, body }: RecordedCall): void {
    this.#calls += 1;
    for (const needed of neededPermissions(this.#stage, target, body)) {
      const permission = this.#permissions.find((allowed) => allows(allowed, caller, needed));
      if (permission !== undefined) increment(this.#used, nameOf(permission));
      else increment(this.#notAllowed, nameOf({ caller, ...needed, keys: needed.keys.map(kindOf) }));
    }
  }

  /** Whether a permission was used, by its name. */
  hasUsed(permission: string): boolean {
    return this.#used.has(permission);
  }

  judge(explanations: Readonly<Record<string, Explanation>>): Verdict {
    const names = this.#permissions.map(nameOf);
    const unused = names.filter((name) => !this.#used.has(name));
    return {
      used: this.#used,
      notAllowed: this.#notAllowed,
      explained: unused.flatMap((permission) => {
        const explanation = explanations[permission];
        return explanation === undefined ? [] : [{ permission, ...explanation }];
      }),
      unexplained: unused.filter((name) => explanations[name] === undefined),
      wrongExplanations: Object.entries(explanations).flatMap(([name, { here }]) => {
        if (!names.includes(name)) return [`${name}: there is no such permission`];
        return here === 'never' && this.#used.has(name) ? [`${name}: it was used`] : [];
      }),
    };
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** `TENANT#ten_1` is one of `TENANT#*`: a report names kinds of keys, not tenants. */
function kindOf(key: string): string {
  return key.includes('#') ? `${key.split('#')[0]}#*` : key;
}
