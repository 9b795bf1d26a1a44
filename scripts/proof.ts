/** A command and its arguments; `node` is this node. */
export type Command = readonly [program: 'vitest' | 'node', ...args: string[]];

/** What takes too long for every change and is proven now and then: `npm run prove`. */
export interface Proof {
  readonly name: string;
  /** What is proven, as a sentence. */
  readonly what: string;
  /** What `npm test` plays of the same. */
  readonly daily: string;
  /** `alone`: what it measures, or how much it does at once, needs the machine for itself. `beside`: two of these run side by side. */
  readonly place: 'alone' | 'beside';
  readonly whole: Command;
  /** What `npm run prove -- --sample` runs: the same if it says so; `none` leaves the proof out. */
  readonly sample: 'same' | 'none' | Command;
  /** Where the output says how many cases there were. */
  readonly cases: RegExp;
}

/** Where vitest says how many tests passed. */
export const TESTS = /Tests\D+(?:\d+ failed \| )?(\d+) passed/;
/** The command that runs files of proofs. */
export const file = (...paths: string[]): Command => ['vitest', 'run', '--config', 'vitest.prove.config.ts', ...paths];

/** The command that a run takes, or nothing if it leaves the proof out. */
export function commandOf(proof: Proof, isSample: boolean): Command | undefined {
  if (!isSample || proof.sample === 'same') return proof.whole;
  return proof.sample === 'none' ? undefined : proof.sample;
}
