import type { RecycleReason } from '../../shared/fleet/fleetView.ts';
import type { VitalsConfig } from '../../shared/platform/vitalsConfig.ts';

/**
 * The condition of a worker process: what it asks of the fleet because of its age, its memory and its event loop. This
 * file is pure.
 */
export interface VitalSample {
  /** Resident memory as a share of its limit, 0 to 1. */
  readonly memoryShare: number;
  /** How late the event loop is, as the 99th percentile since the last sample, in milliseconds. */
  readonly loopDelayMs: number;
  readonly ageMs: number;
}

export type VitalRules = Pick<
  VitalsConfig,
  'maxAgeMs' | 'fullShare' | 'recycleShare' | 'drainShare' | 'loopDelayLimitMs'
>;

/**
 * The complaints against a worker. Each begins, and ends, when so many samples in a row say so: a spike does nothing.
 */
const complaints = {
  crowded: ({ memoryShare }, { fullShare }) => memoryShare > fullShare,
  late: ({ loopDelayMs }, { loopDelayLimitMs }) => loopDelayMs > loopDelayLimitMs,
  heavy: ({ memoryShare }, { recycleShare }) => memoryShare > recycleShare,
  critical: ({ memoryShare }, { drainShare }) => memoryShare > drainShare,
} as const satisfies Record<string, (sample: VitalSample, rules: VitalRules) => boolean>;
type Complaint = keyof typeof complaints;

const SAMPLES_IN_A_ROW = 3;

/** The complaints that hold, and for how many samples in a row each was contradicted. */
export type VitalMemory = Readonly<Record<Complaint, { readonly holds: boolean; readonly contradicted: number }>>;

const fresh = { holds: false, contradicted: 0 } as const;
export const noComplaints: VitalMemory = { crowded: fresh, late: fresh, heavy: fresh, critical: fresh };

export interface Verdict {
  /** Whether the worker takes no more shards. */
  readonly full: boolean;
  /** The reason why the worker asks the leader to recycle it; `none` when it does not ask. */
  readonly recycle: RecycleReason;
  /** Whether the worker drains without asking: otherwise the kernel would end it next. */
  readonly drainsNow: boolean;
  /**
   * Whether sockets may be opened: not while an event loop that was late for long is still late, as handshakes would
   * miss their deadlines.
   */
  readonly mayOpen: boolean;
}

/** Judges one more sample. */
export function judgeVitals(
  before: VitalMemory,
  sample: VitalSample,
  rules: VitalRules,
): { readonly memory: VitalMemory; readonly verdict: Verdict } {
  const follow = (complaint: Complaint): VitalMemory[Complaint] => {
    const { holds, contradicted } = before[complaint];
    if (complaints[complaint](sample, rules) === holds) return { holds, contradicted: 0 };
    if (contradicted + 1 < SAMPLES_IN_A_ROW) return { holds, contradicted: contradicted + 1 };
    return { holds: !holds, contradicted: 0 };
  };
  const memory = {
    crowded: follow('crowded'),
    late: follow('late'),
    heavy: follow('heavy'),
    critical: follow('critical'),
  };
  const isOld = sample.ageMs >= rules.maxAgeMs;
  return {
    memory,
    verdict: {
      full: memory.crowded.holds || memory.late.holds,
      // Memory is the more urgent reason.
      recycle: memory.heavy.holds ? 'memory' : isOld ? 'age' : 'none',
      drainsNow: memory.critical.holds,
      mayOpen: !(memory.late.holds && complaints.late(sample, rules)),
    },
  };
}

/**
 * The age at which a worker asks to be recycled, drawn at random: workers that started together do not grow old
 * together.
 * @param jitter 0 to 1
 */
export function drawMaxAgeMs(maxAgeMs: number, jitter: number): number {
  return maxAgeMs * (0.9 + 0.2 * jitter);
}
